// Package icism reads and writes labels whose carrier is an element with the attributes of IC-ISM (namespace
// urn:us:gov:ic:ism, old urn:us:gov:ic:ism:v2).
//
// The attributes name no policy and their words belong to none that is loaded here, so nothing is read without a
// Mapping: which element carries them, whose markings are taken (ownerProducer), which classification of which policy
// stands for each letter, and which category value for each word. There is no default mapping. A word without a
// mapping refuses the label: an unknown restriction is never passed over.
//
// Before anything is mapped the attributes must agree with each other (consistent.go): REL with a list of nations and
// no list without REL, NF with neither, no control system on U, nothing twice. Attributes that say who classified and
// when carry no access meaning; they are bounded, dropped and never written.
//
// A label is written only if reading what was written gives the label again.
//
// What is not inside: the value lists of any release of the schema (they change with each), banners of joint and
// foreign markings, portion marks, and notices.
package icism
