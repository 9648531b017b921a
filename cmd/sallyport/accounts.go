package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/gateway"
	"sallyport/gateway/config"
	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/store"
)

// accountTime bounds a command on the store.
const accountTime = 2 * time.Minute

// accounts is the store of the server, opened for one command.
type accounts struct {
	*account.Directory
	server *config.Server
	store  *store.Store
}

// withAccounts opens the store that the configuration names, and closes it behind do. It works while a node runs on the
// same store, too.
func (a *app) withAccounts(ctx context.Context, do func(context.Context, *accounts) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, accountTime)
	defer cancel()
	server, options, err := a.storeOptions()
	if err != nil {
		return err
	}
	options.Existing = true // who reads makes nothing
	s, err := store.Open(ctx, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return do(ctx, &accounts{
		Directory: gateway.Directory(s, server, time.Now),
		server:    server, store: s,
	})
}

// errNoServer: the configuration describes a gateway alone.
var errNoServer = errors.New("the configuration has no server.domains, and so no accounts")

func (a *app) storeOptions() (*config.Server, store.Options, error) {
	server, err := config.LoadServer(a.config)
	if err == nil && len(server.Domains) == 0 {
		err = errNoServer
	}
	if err != nil {
		return nil, store.Options{}, err
	}
	o, err := gateway.StoreOptions(&server.Store)
	return server, o, err
}

// userAddress reads the address of an account.
func userAddress(s string) (jid.JID, error) {
	j, ok := config.ParseAddress(s)
	if !ok {
		return jid.JID{}, fmt.Errorf("%q is not an address of the form name@domain", s)
	}
	return j, nil
}

func domainName(s string) (string, error) {
	j, err := jid.ParseDomain(s)
	if err != nil {
		return "", fmt.Errorf("%q is not a domain", s)
	}
	return j.Domain(), nil
}

// readPassword asks for a new password twice on a terminal, and takes the first line of anything else. It is never an
// argument: other users of the machine can read those.
func (a *app) readPassword() (string, error) {
	in := bufio.NewReaderSize(a.in, 2*account.MaxPasswordBytes)
	f, ok := a.in.(*os.File)
	if !ok || !isTerminal(f) {
		return passwordLine(in)
	}
	return a.typedTwice(f, in, "New password: ")
}

// errDiffer says that somebody mistyped.
var errDiffer = errors.New("the two passwords differ; nothing was changed")

// typedTwice reads a password from a terminal that does not show it.
func (a *app) typedTwice(f *os.File, in *bufio.Reader, prompt string) (string, error) {
	restore, err := hideInput(f)
	if err != nil {
		return "", fmt.Errorf("hide what is typed: %w", err)
	}
	defer restore()
	fmt.Fprint(a.err, prompt)
	first, err := passwordLine(in)
	fmt.Fprintln(a.err)
	if err != nil {
		return "", err
	}
	fmt.Fprint(a.err, "Once more: ")
	second, err := passwordLine(in)
	fmt.Fprintln(a.err)
	if err == nil && first != second {
		err = errDiffer
	}
	return first, err
}

func passwordLine(in *bufio.Reader) (string, error) {
	line, err := in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", errors.New("the password is too long")
	case errors.Is(err, io.EOF) && len(line) == 0:
		return "", errors.New("no password came; write it as the first line of the input")
	case err != nil && !errors.Is(err, io.EOF):
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// hideInput stops the terminal from showing what is typed, until restore.
func hideInput(f *os.File) (restore func(), err error) {
	before, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return nil, err
	}
	quiet := *before
	quiet.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, &quiet); err != nil {
		return nil, err
	}
	// Nothing can be done about a terminal that does not take its own setting back.
	show := func() { _ = unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, before) }
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, unix.SIGTERM)
	go func() {
		if _, ok := <-interrupted; ok { // who is waited for types no more
			show()
			fmt.Fprintln(os.Stderr) // the prompt has a line of its own
			os.Exit(exitFailed)
		}
	}()
	return func() {
		signal.Stop(interrupted)
		close(interrupted)
		show()
	}, nil
}

// timeOf shows a moment to the second, in the zone of the reader.
func timeOf(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 -07:00") }
