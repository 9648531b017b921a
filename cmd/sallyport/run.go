package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"sync"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/sys/unix"

	"sallyport/gateway"
	"sallyport/gateway/config"
	"sallyport/gateway/control"
)

func (a *app) runCommand() *cobra.Command {
	var profile string
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run a node until it is told to stop",
		Long: `Run a node in the foreground. The log goes to standard error.

SIGHUP reads the configuration again without dropping streams; when it has
errors, the old one keeps running and the log says why. SIGTERM and SIGINT
stop the node in order; a second one stops it at once. After sallyport restart
the same process goes on with the program as it is on disk then.`,
		Example: `  sallyport run -c /etc/sallyport/sallyport.toml
  kill -HUP $(pidof sallyport)`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			stop, err := profileTo(profile)
			if err != nil {
				return err
			}
			go tend(cmd.Context()) // it ends with the program
			err = errors.Join(a.run(cmd.Context()), stop())
			if errors.Is(err, gateway.ErrRestart) {
				return startAgain()
			}
			return err
		},
	}
	cmd.Flags().StringVar(&profile, "cpuprofile", "", "write a processor profile to `FILE`")
	return cmd
}

// profileTo begins a profile; stop ends it and closes the file. Without a path both do nothing.
func profileTo(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("profile: %w", err), f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

func (a *app) run(ctx context.Context) error {
	cfg, problems := config.Load(a.config)
	if problems.Failed() {
		a.printProblems(a.err, problems)
		return errors.New("not started: the configuration has errors")
	}
	if c, err := control.Dial(ctx, string(cfg.Control.Socket)); err == nil {
		c.Close()
		return fmt.Errorf("not started: a node answers on %s already; stop it, or give this one its own node.state", cfg.Control.Socket)
	}
	log := newLog(cfg.Log, a.err)
	for _, p := range problems {
		log.Warn("configuration", zap.String("file", p.File), zap.Int("line", p.Line), zap.String("key", p.Key),
			zap.String("risk", p.Text), zap.String("advice", p.Advice))
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, unix.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process
	reload, done := hangups(ctx)
	defer done()
	g, err := gateway.New(cfg, gateway.Options{Log: log, Version: version})
	if err != nil {
		return fmt.Errorf("not started: %w", err)
	}
	if err := g.Run(ctx, reload); err != nil {
		return fmt.Errorf("node %s: %w", cfg.Node.Name, err)
	}
	return nil
}

// startAgain puts the program as it is on disk now in the place of this one, as the same process: who supervises it sees no end.
func startAgain() error {
	path, err := os.Executable()
	if err == nil {
		err = unix.Exec(path, os.Args, os.Environ())
	}
	return fmt.Errorf("the node has ended in order and could not be started again: %w", err)
}

// hangups gives one value for the hangup signals since the last one was taken.
func hangups(ctx context.Context) (reload <-chan struct{}, done func()) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, unix.SIGHUP)
	out := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hup:
			}
			select {
			case out <- struct{}{}:
			default: // one is waiting already
			}
		}
	})
	return out, func() {
		signal.Stop(hup)
		cancel()
		wg.Wait()
	}
}

// newLog writes lines to w as the configuration asks.
func newLog(c config.Log, w io.Writer) *zap.Logger {
	level := zapcore.InfoLevel
	switch c.Level {
	case config.LogDebug:
		level = zapcore.DebugLevel
	case config.LogInfo:
	case config.LogWarn:
		level = zapcore.WarnLevel
	case config.LogError:
		level = zapcore.ErrorLevel
	}
	shape := zap.NewProductionEncoderConfig()
	shape.EncodeTime = zapcore.ISO8601TimeEncoder
	encoder := zapcore.NewJSONEncoder(shape)
	if c.Format == config.LogConsole {
		encoder = zapcore.NewConsoleEncoder(shape)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(w)), level))
}
