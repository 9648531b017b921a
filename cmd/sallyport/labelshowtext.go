package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sallyport/labels"
)

// printShown lays a description out for people.
func (a *app) printShown(j *shown, s *source, l *labels.Label, colored bool) {
	fmt.Fprintln(a.out, bar(l.Policy().MarkingAt(l, labels.PageBottom, ""), colored))
	fmt.Fprintln(a.out)
	valid := "yes, at " + day(j.At)
	if !j.Valid.Yes {
		valid = "NO, at " + day(j.At) + ": " + j.Valid.Reason
	}
	policy := j.Policy.Name + " " + j.Policy.ID
	if j.Version != "" {
		policy += ", version " + j.Version
	}
	if j.Period != "" {
		policy += ", valid " + j.Period
	}
	a.printFacts([][]string{
		{"label", s.how()},
		{"note", strings.Join(j.Notes, "; ")},
		{"policy", policy},
		{" ", j.File},
		{"class", fmt.Sprintf("%s (lacv %d), %d of %d: %s", j.Class.Name, j.Class.LACV, j.Class.Rank, len(j.Class.All), ladder(j.Class))},
		{"privacy mark", j.Privacy},
		{"valid", valid},
		{"obsolete", obsoleteWords(j.Obsolete)},
	})
	who := "Who may read it: whose clearance under %s has"
	if !j.Valid.Yes {
		who = "Nobody may read it while it is not valid. Else: whose clearance under %s has"
	}
	fmt.Fprintf(a.out, "\n"+who+"\n", printable(j.Policy.Name))
	for _, need := range j.Needs {
		printBroken(a.out, "  - ", printable(need), 4)
	}
	a.printCategories(j.Categories)
	if len(j.Rules) > 0 {
		fmt.Fprintln(a.out, "\nRules that apply to it:")
		for _, rule := range j.Rules {
			printBroken(a.out, "  - ", printable(rule), 4)
		}
	}
	a.printMarkings(j.Markings, colored)
	a.printElsewhere(j.Equivalents)
}

// ladder names the classifications from the lowest, this one in brackets.
func ladder(c shownClass) string {
	names := slices.Clone(c.All)
	names[c.Rank-1] = "[" + names[c.Rank-1] + "]"
	return strings.Join(names, " < ")
}

func obsoleteWords(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return strings.Join(list, ", ") + "; decides as ever, and is never assigned any more"
}

// printCategories lists the values tag by tag, as they stand in the policy.
func (a *app) printCategories(cs []shownCategory) {
	if len(cs) == 0 {
		return
	}
	fmt.Fprintln(a.out, "\nCategories:")
	width := 0
	for _, c := range cs {
		width = max(width, len(strconv.FormatUint(uint64(c.LACV), 10)))
	}
	for i, c := range cs {
		if i == 0 || cs[i-1].tag != c.tag {
			tag := c.TagSet.Name
			if c.Tag != "" && c.Tag != tag {
				tag += "/" + c.Tag
			}
			printBroken(a.out, "  ", printable(fmt.Sprintf("%s %s, %s: %s", tag, c.TagSet.ID, c.Kind, c.Meaning)), 4)
		}
		words := []string{c.Name}
		if c.Obsolete {
			words = append(words, "obsolete")
		}
		if c.Period != "" {
			words = append(words, c.Period)
		}
		printBroken(a.out, fmt.Sprintf("    %*d  ", width, c.LACV), printable(strings.Join(words, ", ")), width+6)
	}
}

// printMarkings shows each text once for a language, with the places that have it.
func (a *app) printMarkings(ms []shownMarking, colored bool) {
	fmt.Fprintln(a.out, "\nMarkings:")
	for i, m := range ms {
		if i == 0 || ms[i-1].Lang != m.Lang {
			name := m.Lang
			if name == "" {
				name = "default language"
			}
			fmt.Fprintf(a.out, "  %s\n", printable(name))
		}
		where := strings.Join(m.Places, ", ")
		switch {
		case len(m.Places) == int(labels.InputTitle)+1:
			where = "every place"
		case len(m.Places) > (int(labels.InputTitle)+1)/2:
			where = "every other place"
		}
		if m.Header != "" {
			where += " (header " + m.Header + ")"
		}
		text := printable(m.Text)
		if text == "" {
			text = "(nothing)"
		}
		fmt.Fprintf(a.out, "    %s%s\n", swatch(m.Background, colored), text)
		printBroken(a.out, "      ", printable(where), 6)
	}
	if bg := ms[0].Background; bg != "" {
		fmt.Fprintf(a.out, "  %s on %s\n", ms[0].Foreground, bg)
	}
}

func (a *app) printElsewhere(es []shownElsewhere) {
	if len(es) == 0 {
		return
	}
	fmt.Fprintln(a.out, "\nUnder other policies:")
	for _, e := range es {
		head := fmt.Sprintf("  %s %s  ", printable(e.Policy.Name), e.Policy.ID)
		switch {
		case !e.Loaded:
			printBroken(a.out, head, "not loaded; name its file with --policy", 4)
		case e.Marking != "":
			printBroken(a.out, head, printable(e.Marking)+" ("+e.Reading+")", 4)
		default:
			printBroken(a.out, head, e.Status+": "+printable(e.Reason)+" ("+e.Reading+")", 4)
		}
	}
}
