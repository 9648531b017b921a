// Package textmark reads and writes labels that stand as text: display markings, and markings in the first line of
// the text of a message (FLOT), for peers that know no securitylabel.
//
// No standard has a form for them. Ours is: the first line of every body is "[", the marking, "]" and a line feed;
// the text follows. A marking means a label only through a Table, made of the labels that may be used and what the
// policy writes for them. An entry that two labels share means neither.
//
// Anyone can type such a line. It is worth something only from a peer whose own system writes it and takes away what
// people typed; which peer that is, is not known here. A line that names no label of the table is text: whether the
// message may then pass as unlabelled is for the caller to say, which is told that there was a line.
//
// Adding a line removes what would show the text without it (XHTML-IM, text as it is typed); so does taking a line away.
// Messages wrapped inside are left for calls of their own. What is to be left out of a body (XEP-0428) is moved with the text,
// so that it does not become the line; what else points into a body by position (XEP-0372, XEP-0394) is not adjusted.
//
// What is not inside: markings in subjects and headers, and lines in the form of other products.
package textmark
