package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"sallyport/labels/cases"
)

// maxTable bounds a table of cases, in bytes.
const maxTable = 64 << 20

func (a *app) labelBatch() *cobra.Command {
	var f labelFlags
	var data string
	var compare, strict bool
	cmd := &cobra.Command{
		Use:   "batch --data DIR CASES",
		Short: "Answer a whole table of cases, to be compared with another",
		Long: `Read a table, one case a line, columns separated by tabs, a header line first,
and print it with the answers filled in. The columns of a case are id, kind
(pair, mark or translate), group, policy (files separated by commas), label,
clearance, lang and target; files are named as they lie under --data. The
columns of the answer are status, valid, acdf, decision, marking,
clearance_marking, basis and note; what a table has in them is not looked at.
Tables are made of published files, whose known slips are accepted.

With --compare the table's own answers are compared instead: the rows that
differ are printed, and how many agree in each column. basis and note are not
compared, and a clearance_marking, which no standard defines, is not counted as
wrong. Exits with 5 when anything else differs.`,
		Example: `  sallyport label batch --data cases cases/expected.tsv > answers.tsv
  sallyport label batch --data cases --at 2025-06-01 --compare expected.tsv`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			f.lenient = !strict
			return a.batch(&f, data, args[0], compare)
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "`DIR` that the files of the table are under")
	cmd.Flags().BoolVar(&strict, "strict", false, "refuse files that are not as their standard has them")
	cmd.Flags().StringVar(&f.at, "at", "", "`TIME` of every question (default now)")
	cmd.Flags().BoolVar(&compare, "compare", false, "compare with the answers in the table")
	_ = cmd.MarkFlagRequired("data")
	return cmd
}

func (a *app) batch(f *labelFlags, data, name string, compare bool) error {
	at, err := f.when()
	if err != nil {
		return err
	}
	rows, err := a.readTable(name)
	if err != nil {
		return err
	}
	if info, err := os.Stat(data); err != nil || !info.IsDir() {
		return fmt.Errorf("--data: %s is no directory", data)
	}
	j := &cases.Judge{Data: os.DirFS(data), At: at, Lenient: f.lenient}
	answers := make([]cases.Row, len(rows))
	for i := range rows {
		answers[i] = j.Answer(rows[i])
	}
	switch {
	case compare:
		return a.compareTables(rows, answers)
	case a.json:
		return a.printJSON(rowsJSON(answers))
	}
	out := bufio.NewWriter(a.out)
	_, _ = out.Write(cases.AppendHeader(nil)) // Flush reports errors
	var line []byte
	for i := range answers {
		line = cases.Append(line[:0], &answers[i])
		_, _ = out.Write(line)
	}
	return out.Flush()
}

func (a *app) readTable(name string) ([]cases.Row, error) {
	r := a.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, maxTable+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case len(b) > maxTable:
		return nil, errors.New(name + ": larger than 64 MiB")
	}
	rows, err := cases.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rows, nil
}

// rowsJSON turns rows into objects with the names of the columns.
func rowsJSON(rows []cases.Row) []map[string]string {
	out := make([]map[string]string, len(rows))
	for i := range rows {
		out[i] = map[string]string{}
		for c, cell := range rows[i].Fields() {
			out[i][cases.Columns()[c]] = cell
		}
	}
	return out
}

// differenceJSON is one cell that is not as the table has it.
type differenceJSON struct {
	ID     string `json:"id"`
	Column string `json:"column"`
	Got    string `json:"got"`
	Want   string `json:"want"`
	Note   string `json:"note"`
}

// The columns that are compared: the answer without its words.
const (
	firstCompared   = 8
	lastCompared    = 13
	clearanceColumn = 13 // words of the implementation, compared and not counted as wrong
)

func (a *app) compareTables(want, got []cases.Row) error {
	same, of := make([]int, len(cases.Columns())), make([]int, len(cases.Columns()))
	differences := []differenceJSON{}
	wrong := false
	for i := range want {
		w, g := want[i].Fields(), got[i].Fields()
		for c := firstCompared; c <= lastCompared; c++ {
			switch {
			case w[c] == "" || c == clearanceColumn && w[c] == "-": // the table says nothing
				continue
			case w[c] == g[c]:
				same[c]++
				of[c]++
				continue
			}
			of[c]++
			wrong = wrong || c != clearanceColumn
			differences = append(differences, differenceJSON{want[i].ID, cases.Columns()[c], g[c], w[c], got[i].Note})
		}
	}
	if a.json {
		if err := a.printJSON(map[string]any{"rows": len(want), "differences": differences}); err != nil {
			return err
		}
	} else {
		for _, d := range differences {
			a.printFacts([][]string{{"row", d.ID + ", " + d.Column}, {"got", d.Got}, {"table", d.Want}, {"note", d.Note}})
			fmt.Fprintln(a.out)
		}
		table := [][]string{{"COLUMN", "AGREE", "OF"}}
		for c := firstCompared; c <= lastCompared; c++ {
			table = append(table, []string{cases.Columns()[c], fmt.Sprint(same[c]), fmt.Sprint(of[c])})
		}
		a.printTable(table)
	}
	if wrong {
		return answerNo{}
	}
	return nil
}
