// Package catalogue holds security label catalogues (XEP-0258 section 4, XEP-0314): the lists from which a client lets
// its user choose a label.
//
// The way of a catalogue: an operator writes one in a file (Parse), or has it made from a policy (FromPolicy); a Book
// says which one is for whom (Find); For leaves of it what may be sent to one destination now; Element writes the
// answer. ParseRequest reads what a client asks, and an Admission says who gets an answer.
//
// # What it must never do
//
// It never offers a label that is not valid at the time, that has an obsolete part, or that anybody concerned is not
// cleared for. Whose clearance is not known is skipped only where the Filter says that it is not known: the zero Filter
// leaves nothing, and so does one in which nobody is judged. A catalogue is an offer and decides nothing: what a client
// sends is judged like any other message. It reveals clearances, so that the zero Admission refuses everybody.
//
// It does no I/O and knows no clock; a display marking or a selector is never an input to a decision.
//
// # What known clients make of a catalogue
//
// Facts that Element follows, from the source of the clients:
//
//	Gajim (nbxmpp)  drops items without selector; of two with one selector keeps the last; the default must be written
//	                true, not 1; drops an item whose securitylabel has no label; older versions know neither restrict nor
//	                items without label; loses equivalent labels when it sends
//	Swift           takes true and 1; ignores restrict, id and size; keeps items without label and equivalent labels;
//	                switches labels off when the catalogue is empty; shows the selector or, without one, the display
//	                marking; preselects the first item when there is no default
//
// So every item has a selector and no two have the same one. FromPolicy lists the highest classification first: what a
// client preselects by accident then says too much rather than too little.
//
// # What is not inside
//
// Asking other servers for their catalogues (XEP-0258 allows it; here catalogues are local, and one that arrives from
// outside is an iq like any other, for the rules to drop). Catalogue files of Isode products, whose format is not
// published. Comments in files: the reader is the strict one of the wire.
package catalogue
