// Package spif reads Open XML SPIF files (security policy information files, schema 1.0 to 2.1) into compiled
// policies.
//
// It reads documents that an operator installed, never the wire. It is strict about meaning: what it does not understand
// could be a rule, and refuses the file, with line, rule word and what to do. An unknown element refuses; so does an
// attribute that is a misspelt one, a second container where one is allowed, a reference that is not resolved, and a
// rule that can be read in two ways (a categoryGroup with a number and all="true"). References and meaning are checked
// by labels.Compile, what equivalences name in another policy by labels.Registry.Check.
//
// # What is tolerated
//
// Published files break their own schema. These deviations are accepted, because none of them lifts a rule:
//
//	children in any order                         the published demonstration policies have them so
//	requiredCategory without operation            read as all, the strictest, with a warning
//	no schemaVersion                              a demonstration policy; the elements tell a 2.x file
//	no creationDate, originatorDN, keyIdentifier,
//	  privilegeId, rbacId; dates in other forms   nothing depends on them
//	privilegeId, rbacId that are no identifiers   warning; only binary writers ask for them
//	version that is no integer                    warning; such a policy can never replace another
//	markingQualifier with code for markingCode    policies of the reference library
//	color names outside the list                  display only; one that is not known is a warning
//	marking codes that are not known              warning; display only
//	codes in other case, "supressClassName"       the NATO document spells them so
//	attributes that are not known                 warning, unless they look like one that is
//	attributes of other namespaces                the schema allows them
//	dates without zone                            read as UTC
//	lacv with zeros or white space ("004")        the number is plain
//	lacv="" beside action="discard"               nothing is translated to
//	names in another case                         resolved when the exact name does not exist and one alone fits
//	a byte order mark; US-ASCII declared          editors write them; both are UTF-8
//	extensions, updateInfo                        skipped: no decision uses them; extensions are named in About
//
// With Options.AnyNamespace, which an operator switches on for one file: the misspelt namespace
// http://www.xmslpif.org/spif or none for the whole file, and equivalentSecCategoryTag in no namespace (the ACME example
// of ADatP-4774.1). Without it the latter has no effect, with a warning: less can be translated, never more.
//
// # Values typed by users
//
// A tagCategory with userInput declares values that users type. No syntax that is read here carries what was typed in
// a form the policy could check, so that the category exists, can be named by rules, and is refused in every label and
// clearance. Refusing the file instead would take away the rest of a policy that never uses it.
//
// # What is refused
//
// A document type declaration, entities, other encodings than UTF-8, a file that is not well-formed, schema 3.0 (its
// rules differ), tag type notApplicable, text with control or direction characters, and files above the limits: 16 MiB,
// 32 levels, 64 attributes an element, 500,000 tags, and those of labels.Compile. Elements and attributes are counted
// before anything is built from them. Nothing is fetched: schema locations, userRefURI and updateInfo are text.
//
// # What is not inside
//
// Signatures and bindings of the file (the policy store's), the NATO extensions, which list memberships and take no
// part in a decision, writing of SPIF files, and schema 3.0.
package spif
