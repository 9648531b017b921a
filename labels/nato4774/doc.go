// Package nato4774 reads and writes confidentiality labels and clearances of STANAG 4774 (ADatP-4774 edition A), and
// takes labels out of STANAG 4778 bindings and of label catalogues in Genericode (ADatP-4774.1 chapter 7).
//
// The syntax carries names; a policy turns them into values, so that reading needs the registry of policies. The
// content model is closed: an element or attribute that the schema does not name, integer and bit string values, and
// foreign extensions refuse the label. A missing CreationDateTime is accepted, because it takes no part in a
// decision and many labels lack it. What is written is strict, and comes from the normal form alone.
//
// # Succession
//
// A label may name its successor and the time from which that counts. Read reports both. The successor takes the label's
// place when the time given has come, if whoever may read it could read the label; a less strict one only where the
// options say so, because it makes the clock a switch that lowers labels. ReviewDateTime has no effect: ADatP-4774 says
// that a label stays valid after it.
//
// # What it must never do
//
// It never believes a binding that it cannot check: a signature is over octets, which are gone when the element arrives
// here, so a signed binding is refused, and a binding of anything but the document around it, too.
//
// # What is not inside
//
// Signatures (XMLDSIG), bindings to parts of a message, the label of the metadata itself, extensions of clearances,
// reading of Genericode lists that refer to rows elsewhere.
package nato4774
