// Package nato4774 reads and writes confidentiality labels and clearances of STANAG 4774 (ADatP-4774 edition A).
//
// The syntax carries names; a policy turns them into values, so that reading needs the registry of policies. The
// content model is closed: an element or attribute that the schema does not name, integer and bit string values, and
// foreign extensions refuse the label. A missing CreationDateTime is accepted, because it takes no part in a
// decision and many labels lack it.
//
// What is not inside yet: bindings (STANAG 4778), acting on SuccessionHandling (it is checked for form and left out
// when the label is written), originator identities when writing, label catalogues in Genericode.
package nato4774
