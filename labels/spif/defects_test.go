package spif_test

import (
	"slices"
	"strings"
	"testing"

	"sallyport/labels/spif"
)

// Each row changes the guard policy in one place. The file is refused, at that line, for that rule, with that text.
func TestDefects(t *testing.T) {
	long := strings.Repeat("x", 257)
	tests := []struct {
		name, old, new string
		line           int
		rule, text     string
	}{
		{
			"document type", `<spif:SPIF `,
			`<!DOCTYPE spif:SPIF [<!ENTITY a "b">]><spif:SPIF `,
			3, "document-type", `a document type declaration is not allowed: remove it, and write out what its entities stand for`,
		},
		{
			"document type outside", `<spif:SPIF `,
			"<!DOCTYPE spif:SPIF SYSTEM \"http://example.org/spif.dtd\">\n<spif:SPIF ",
			3, "document-type", `a document type declaration is not allowed: remove it, and write out what its entities stand for`,
		},
		{
			"document type inside", `<spif:privacyMarks>`,
			`<!DOCTYPE a><spif:privacyMarks>`,
			3, "document-type", `a declaration inside the document is not allowed`,
		},
		{
			"entity", `phrase="INTERNAL USE"`,
			`phrase="&a;"`,
			16, "xml", `not well-formed: invalid character entity &a;`,
		},
		{
			"prefix of an element not declared", `<spif:privacyMarks>`,
			`<p:x/><spif:privacyMarks>`,
			124, "xml", `prefix of element "p:x" is not declared`,
		},
		{
			"prefix of an attribute not declared", `name="TITAN"`,
			`p:a="1" name="TITAN"`,
			106, "xml", `prefix of attribute "p:a" is not declared`,
		},
		{
			"not UTF-8", `phrase="INTERNAL USE"`,
			"phrase=\"\xff\"",
			16, "encoding", `not UTF-8: convert the file`,
		},
		{
			"another encoding declared", `encoding="UTF-8"`,
			`encoding="ISO-8859-1"`,
			1, "encoding", `encoding "ISO-8859-1" is not supported: convert the file to UTF-8`,
		},
		{
			"text after the root", `</spif:SPIF>`,
			`</spif:SPIF>more`,
			134, "xml", `text outside the root element`,
		},
		{
			"two roots", `</spif:SPIF>`,
			`</spif:SPIF><x/>`,
			134, "xml", `more than one root element`,
		},
		{
			"cut off", `</spif:SPIF>`,
			``,
			135, "xml", `not well-formed: unexpected EOF`,
		},
		{
			"end tag misspelt", `</spif:privacyMarks>`,
			`</spif:privacyMark>`,
			126, "xml", `not well-formed: element <privacyMarks> closed by </privacyMark>`,
		},
		{
			"attribute twice", `singleSelection="true"`,
			`singleSelection="true" singleSelection="false"`,
			64, "xml", `attribute "singleSelection" given twice`,
		},
		{
			"character that XML forbids", `phrase="INTERNAL USE"`,
			`phrase="&#1;"`,
			16, "xml", `not well-formed: illegal character code U+0001`,
		},
		{
			"schema 3.0", `schemaVersion="2.1"`,
			`schemaVersion="3.0"`,
			3, "schema-version", `schema version 3.0 is not supported, because its rules differ: export the policy as 2.1`,
		},
		{
			"schema unknown", `schemaVersion="2.1"`,
			`schemaVersion="2.2"`,
			3, "schema-version", `schema version "2.2" is not known (1.0, 2.0 and 2.1 are)`,
		},
		{
			"no policy name", `name="GUARD" id`,
			`id`,
			3, "policy-name", `policy without a name: give it one`,
		},
		{
			"policy name with an override", `name="GUARD" id`,
			"name=\"GU\u202eARD\" id",
			3, "policy-name", `policy name "GU\u202eARD" holds a control or direction character`,
		},
		{
			"policy identifier", `id="2.999.258.1"/>`,
			`id="2.999.258.01"/>`,
			3, "policy-id", `policy identifier "2.999.258.01": not an object identifier: arc 4`,
		},
		{
			"no policy identifier", `name="GUARD" id="2.999.258.1"/>`,
			`name="GUARD"/>`,
			3, "policy-id", `policy identifier "": not an object identifier: 1 arcs`,
		},
		{
			"two policies", `<spif:securityClassifications>`,
			`<spif:securityPolicyId name="B" id="1.2"/><spif:securityClassifications>`,
			3, "policy-id", `2 securityPolicyId elements instead of one`,
		},
		{
			"no policy", `<spif:securityPolicyId name="GUARD" id="2.999.258.1"/>`,
			``,
			3, "policy-id", `0 securityPolicyId elements instead of one`,
		},
		{
			"policy that ends before it begins", `version="7"`,
			`version="7" notBefore="2026-01-01T00:00:00Z" notAfter="2025-01-01T00:00:00Z"`,
			3, "period", `the policy ends (notAfter) before it begins (notBefore)`,
		},
		{
			"policy date", `version="7"`,
			`version="7" notAfter="31.12.2026"`,
			3, "date", `notAfter "31.12.2026" is not a date and time`,
		},
		{
			"class without name", `name="SECRET" color`,
			`color`,
			30, "class-name", `classification without a name: give it one`,
		},
		{
			"class name twice", `name="SECRET" color`,
			`name="PUBLIC" color`,
			30, "class-name", `classification name "PUBLIC" is used twice: a reference to it could mean either`,
		},
		{
			"class name too long", `name="SECRET" color`,
			"name=\"" + long + "\" color",
			30, "class-name", `classification name "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"… has 257 bytes, at most 256`,
		},
		{
			"class number twice", `lacv="5" hierarchy="4"`,
			`lacv="2" hierarchy="4"`,
			30, "class-lacv", `classifications "INTERNAL" and "SECRET" have the same lacv 2: a label could mean either`,
		},
		{
			"class number is none", `lacv="5" hierarchy="4"`,
			`lacv="five" hierarchy="4"`,
			30, "lacv", `securityClassification: lacv "five" is not a number from 0 to 2147483647`,
		},
		{
			"class number missing", `lacv="5" hierarchy="4"`,
			`hierarchy="4"`,
			30, "lacv", `securityClassification: lacv "" is not a number from 0 to 2147483647`,
		},
		{
			"class number negative", `lacv="5" hierarchy="4"`,
			`lacv="-5" hierarchy="4"`,
			30, "lacv", `securityClassification: lacv "-5" is not a number from 0 to 2147483647`,
		},
		{
			"hierarchy twice", `lacv="5" hierarchy="4"`,
			`lacv="5" hierarchy="3"`,
			30, "class-hierarchy", `classifications "CONFIDENTIAL" and "SECRET" have the same hierarchy 3: say which is higher`,
		},
		{
			"hierarchy missing", `lacv="5" hierarchy="4"`,
			`lacv="5"`,
			30, "class-hierarchy", `classification "SECRET": hierarchy "" is not an integer`,
		},
		{
			"classifications twice", `  <spif:securityCategoryTagSets>`,
			"  <spif:securityClassifications><spif:securityClassification name=\"X\" lacv=\"30\" hierarchy=\"30\"/></spif:securityClassifications>\n  <spif:securityCategoryTagSets>",
			39, "repeated", `element "securityClassifications" is given a second time (first on line 5): put them together`,
		},
		{
			"tag set name twice", `name="Project" id`,
			`name="Owner" id`,
			104, "tag-set-name", `tag set name "Owner" is used twice: a reference to it could mean either`,
		},
		{
			"tag set without name", `name="Project" id`,
			`id`,
			104, "tag-set-name", `tag set without a name: give it one`,
		},
		{
			"tag set identifier twice", `id="2.999.258.1.5"`,
			`id="2.999.258.1.2"`,
			104, "tag-set-id", `tag set "Project": identifier 2.999.258.1.2 is used twice`,
		},
		{
			"tag set identifier", `id="2.999.258.1.5"`,
			`id="here"`,
			104, "tag-set-id", `tag set "Project": identifier "here": not an object identifier: 1 arcs`,
		},
		{
			"tag type not applicable", `name="Handling" tagType="restrictive"`,
			`name="Handling" tagType="notApplicable"`,
			41, "tag-type", `securityCategoryTag with tagType "notApplicable", enumType "" and tag7Encoding "" is not supported: nobody says what such a tag decides`,
		},
		{
			"tag type missing", `name="Handling" tagType="restrictive"`,
			`name="Handling"`,
			41, "tag-type", `securityCategoryTag with tagType "", enumType "" and tag7Encoding "" is not supported: it is one of restrictive, permissive, enumerated, tagType7`,
		},
		{
			"enumerated without type", `tagType="enumerated" enumType="restrictive" maxSelection`,
			`tagType="enumerated" maxSelection`,
			105, "tag-type", `securityCategoryTag with tagType "enumerated", enumType "" and tag7Encoding "" is not supported: enumType must be restrictive or permissive, and stand alone`,
		},
		{
			"type 7 without encoding", ` tag7Encoding="bitSetAttributes"`,
			``,
			112, "tag-type", `securityCategoryTag with tagType "tagType7", enumType "" and tag7Encoding "" is not supported: tag7Encoding must be bitSetAttributes or securityAttributes, and stand alone`,
		},
		{
			"two types that contradict each other", `name="Handling" tagType="restrictive"`,
			`name="Handling" tagType="restrictive" enumType="permissive"`,
			41, "tag-type", `securityCategoryTag with tagType "restrictive", enumType "permissive" and tag7Encoding "" is not supported: it is one of restrictive, permissive, enumerated, tagType7`,
		},
		{
			"selection limits", `maxSelection="2"`,
			`minSelection="3" maxSelection="2"`,
			105, "tag-selection", `tag "Project": no number of values is allowed (minSelection 3, maxSelection 2, singleSelection false)`,
		},
		{
			"selection of none", `maxSelection="2"`,
			`maxSelection="0"`,
			105, "selection", `maxSelection "0" is not a usable number`,
		},
		{
			"single selection of two", `singleSelection="true"`,
			`singleSelection="true" minSelection="2"`,
			64, "tag-selection", `tag "Owner": no number of values is allowed (minSelection 2, maxSelection 0, singleSelection true)`,
		},
		{
			"boolean", `singleSelection="true"`,
			`singleSelection="yes"`,
			64, "boolean", `singleSelection "yes" is neither true nor false`,
		},
		{
			"number twice in a tag", `name="SOUTH" lacv="1"`,
			`name="SOUTH" lacv="0"`,
			66, "category-lacv", `category "SOUTH": lacv 0 is used twice for permissive values of tag set 2.999.258.1.2`,
		},
		{
			"number twice in two tags of a kind", `<spif:securityCategoryTag name="Countries" tagType="enumerated" enumType="permissive">`,
			`<spif:securityCategoryTag name="C" tagType="permissive"><spif:tagCategory name="X" lacv="0"/></spif:securityCategoryTag><spif:securityCategoryTag name="Countries" tagType="enumerated" enumType="permissive">`,
			80, "category-lacv", `category "X": lacv 0 is used twice for permissive values of tag set 2.999.258.1.3`,
		},
		{
			"bit too high", `name="SOUTH" lacv="1"`,
			`name="SOUTH" lacv="65536"`,
			66, "category-lacv", `category "SOUTH": bit 65536, the highest is 65535`,
		},
		{
			"number too high", `name="ORION" lacv="255"`,
			`name="ORION" lacv="2147483648"`,
			108, "lacv", `tagCategory: lacv "2147483648" is not a number from 0 to 2147483647`,
		},
		{
			"category name twice in a tag", `name="SOUTH" lacv="1"`,
			`name="NORTH" lacv="1"`,
			66, "category-name", `category name "NORTH" is used twice: a reference to it could mean either`,
		},
		{
			"category without name", `name="SOUTH" lacv="1"`,
			`lacv="1"`,
			66, "category-name", `category without a name: give it one`,
		},
		{
			"category date", `notAfter="2020-01-01T00:00:00Z"`,
			`notAfter="2020"`,
			56, "date", `notAfter "2020" is not a date and time`,
		},
		{
			"category that ends before it begins", `notAfter="2020-01-01T00:00:00Z"`,
			`notBefore="2021-01-01T00:00:00Z" notAfter="2020-01-01T00:00:00Z"`,
			56, "period", `category "FOXTROT" ends (notAfter) before it begins (notBefore)`,
		},
		{
			"required class unknown", `requiredClass="SECRET"`,
			`requiredClass="SECRETS"`,
			55, "class-reference", `there is no classification "SECRETS", perhaps "SECRET"`,
		},
		{
			"excluded class unknown", `<spif:excludedClass>PUBLIC<`,
			`<spif:excludedClass>OPEN<`,
			71, "class-reference", `there is no classification "OPEN"`,
		},
		{
			"excluded class twice", `<spif:excludedClass>PUBLIC</spif:excludedClass>`,
			`<spif:excludedClass>PUBLIC</spif:excludedClass><spif:excludedClass>PUBLIC</spif:excludedClass>`,
			71, "excluded-class", `category "FIVE" excludes classification "PUBLIC" twice`,
		},
		{
			"required tag set unknown", `tagSetRef="Owner" tagType="permissive" all`,
			`tagSetRef="Owners" tagType="permissive" all`,
			33, "tag-set-reference", `there is no tag set "Owners", perhaps "Owner"`,
		},
		{
			"required tag set missing", `tagSetRef="Owner" tagType="permissive" all`,
			`tagType="permissive" all`,
			33, "tag-set-reference", `there is no tag set ""`,
		},
		{
			"required category unknown", `tagSetRef="Caveats" tagType="restrictive" lacv="1"`,
			`tagSetRef="Caveats" tagType="restrictive" lacv="9"`,
			51, "category-reference", `tag set "Caveats" has no such category: restrictive 9 of Caveats`,
		},
		{
			"required category of another kind", `tagSetRef="Caveats" tagType="restrictive" lacv="1"`,
			`tagSetRef="Caveats" tagType="permissive" lacv="1"`,
			51, "category-reference", `tag set "Caveats" has no such category: permissive 1 of Caveats`,
		},
		{
			"required category: one value or all", `tagSetRef="Owner" tagType="permissive" all="true"`,
			`tagSetRef="Owner" tagType="permissive" lacv="0" all="true"`,
			33, "group", `categoryGroup gives a lacv and all="true": one value, or every value?`,
		},
		{
			"required category: not all and no value", `tagSetRef="Owner" tagType="permissive" all="true"`,
			`tagSetRef="Owner" tagType="permissive" all="false"`,
			33, "group", `categoryGroup gives neither a lacv nor all="true": which value?`,
		},
		{
			"operation", `operation="oneOrMore"`,
			`operation="some"`,
			49, "operation", `operation "some" is none of onlyOne, oneOrMore, all`,
		},
		{
			"required category without group", "<spif:categoryGroup tagSetRef=\"Caveats\" tagType=\"restrictive\" lacv=\"0\"/>\n            <spif:categoryGroup tagSetRef=\"Caveats\" tagType=\"restrictive\" lacv=\"1\"/>",
			``,
			49, "required-category", `a required category without a categoryGroup can never be checked: name one or remove it`,
		},
		{
			"category that excludes itself", `<spif:excludedCategory tagSetRef="Caveats" tagType="restrictive" lacv="0"/>`,
			`<spif:excludedCategory tagSetRef="Caveats" tagType="restrictive" lacv="1"/>`,
			46, "excluded-category", `category "BRAVO" excludes itself: no label could have it`,
		},
		{
			"rule attribute misspelt", `requiredClass="SECRET"`,
			`requiredclass="SECRET"`,
			55, "attribute", `attribute "requiredclass" of "tagCategory" is not known, perhaps requiredClass`,
		},
		{
			"rule attribute with a letter too few", `singleSelection="true"`,
			`singleSelecton="true"`,
			64, "attribute", `attribute "singleSelecton" of "securityCategoryTag" is not known, perhaps singleSelection`,
		},
		{
			"equivalent policy without name", `<spif:equivalentPolicy name="PARTNER" id`,
			`<spif:equivalentPolicy id`,
			8, "policy-reference", `there is no equivalent policy "PARTNER"`,
		},
		{
			"equivalent policy identifier", `<spif:equivalentPolicy name="PARTNER" id="2.999.258.2"`,
			`<spif:equivalentPolicy name="PARTNER" id="partner"`,
			128, "equivalent-policy", `equivalent policy "PARTNER": identifier "partner" is not an object identifier`,
		},
		{
			"equivalent policy named twice", `<spif:equivalentPolicies>`,
			`<spif:equivalentPolicies><spif:equivalentPolicy name="PARTNER" id="2.999.258.3"/>`,
			128, "equivalent-policy", `equivalent policy name "PARTNER" is used twice: a reference to it could mean either`,
		},
		{
			"equivalent policy identified twice", `<spif:equivalentPolicies>`,
			`<spif:equivalentPolicies><spif:equivalentPolicy name="FRIEND" id="2.999.258.2"/>`,
			128, "equivalent-policy", `equivalent policies "FRIEND" and "PARTNER" have the same identifier 2.999.258.2`,
		},
		{
			"equivalent policy is the policy itself", `<spif:equivalentPolicies>`,
			`<spif:equivalentPolicies><spif:equivalentPolicy name="FRIEND" id="2.999.258.1"/>`,
			127, "equivalent-policy", `equivalent policy "FRIEND" is this policy itself`,
		},
		{
			"equivalent class of an unknown policy", `policyRef="PARTNER" lacv="4"`,
			`policyRef="PARTNERS" lacv="4"`,
			31, "policy-reference", `there is no equivalent policy "PARTNERS", perhaps "PARTNER"`,
		},
		{
			"equivalent category of an unknown policy", `policyRef="PARTNER" tagSetId="2.999.258.2.1"`,
			`tagSetId="2.999.258.2.1"`,
			43, "policy-reference", `there is no equivalent policy ""`,
		},
		{
			"equivalent class without direction", `lacv="4" applied="encrypt"`,
			`lacv="4"`,
			31, "applied", `applied "" is none of encrypt, decrypt, both`,
		},
		{
			"equivalent class in an unknown direction", `lacv="4" applied="encrypt"`,
			`lacv="4" applied="inbound"`,
			31, "applied", `applied "inbound" is none of encrypt, decrypt, both`,
		},
		{
			"two equivalent classes in one direction", `<spif:equivalentClassification policyRef="PARTNER" lacv="4" applied="encrypt"/>`,
			"<spif:equivalentClassification policyRef=\"PARTNER\" lacv=\"4\" applied=\"encrypt\"/>\n<spif:equivalentClassification policyRef=\"PARTNER\" lacv=\"3\" applied=\"both\"/>",
			32, "equivalent-class", `classification "SECRET" has two equivalents in policy "PARTNER" in one direction: which of them is meant?`,
		},
		{
			"equivalent class without number", `policyRef="PARTNER" lacv="4"`,
			`policyRef="PARTNER"`,
			31, "lacv", `equivalentClassification: lacv "" is not a number from 0 to 2147483647`,
		},
		{
			"equivalent category tag set", `tagSetId="2.999.258.2.1"`,
			`tagSetId="Caveats"`,
			43, "equivalent-category", `category "ALPHA": tagSetId "Caveats" of its equivalent: not an object identifier: 1 arcs`,
		},
		{
			"equivalent category bit", `tagSetId="2.999.258.2.1" tagType="restrictive" lacv="3"`,
			`tagSetId="2.999.258.2.1" tagType="restrictive" lacv="65536"`,
			43, "equivalent-category", `category "ALPHA": its equivalent has no usable type or lacv (restrictive, 65536)`,
		},
		{
			"equivalent category action", `action="discard"`,
			`action="ignore"`,
			114, "action", `action "ignore" is not known: only discard is`,
		},
		{
			"equivalent category without number", `tagSetId="2.999.258.2.1" tagType="restrictive" lacv="3"`,
			`tagSetId="2.999.258.2.1" tagType="restrictive"`,
			43, "lacv", `equivalentSecCategoryTag: lacv "" is not a number from 0 to 2147483647`,
		},
		{
			"equivalent tag set of an unknown policy", `      <spif:securityCategoryTag name="Project"`,
			"      <spif:equivalentSecurityCategoryTagSet policyRef=\"OTHER\"/>\n      <spif:securityCategoryTag name=\"Project\"",
			105, "policy-reference", `there is no equivalent policy "OTHER"`,
		},
		{
			"equivalent tag set identifier", `      <spif:securityCategoryTag name="Project"`,
			"      <spif:equivalentSecurityCategoryTagSet policyRef=\"PARTNER\" id=\"x\"/>\n      <spif:securityCategoryTag name=\"Project\"",
			105, "equivalent-tag-set", `tag set "Project": identifier "x" of its equivalent is not an object identifier`,
		},
		{
			"requirement of an equivalence without group", `<spif:categoryGroup tagSetRef="Origin" tagType="tagType7" lacv="1"/>`,
			``,
			129, "required-category", `a required category without a categoryGroup can never be checked: name one or remove it`,
		},
		{
			"requirement of an equivalence without tag set", `<spif:categoryGroup tagSetRef="Origin" tagType="tagType7" lacv="1"/>`,
			`<spif:categoryGroup tagType="tagType7" lacv="1"/>`,
			130, "required-category", `a categoryGroup needs the name of a tag set and a type`,
		},
		{
			"privacy mark without name", `<spif:privacyMark name="CLEAR"/>`,
			`<spif:privacyMark/>`,
			125, "privacy-mark", `privacy mark without a name: give it one`,
		},
		{
			"privacy mark twice", `<spif:privacyMark name="CLEAR"/>`,
			`<spif:privacyMark name="CLEAR"/><spif:privacyMark name="CLEAR"/>`,
			125, "privacy-mark", `privacy mark "CLEAR" is given twice`,
		},
		{
			"privacy mark selection", `<spif:privacyMarks>`,
			`<spif:privacyMarks minSelection="2" maxSelection="1">`,
			3, "privacy-mark", `privacy marks: selection limits 2 to 1`,
		},
		{
			"qualifier code", `qualifierCode="prefix"`,
			`qualifierCode="front"`,
			58, "qualifier", `qualifierCode "front" is none of prefix, suffix, separator`,
		},
		{
			"phrase with a control character", `phrase="INTERNAL USE"`,
			`phrase="INTERNAL&#10;USE"`,
			16, "phrase", `text of "markingData" is longer than 1024 bytes or holds a control or direction character`,
		},
		{
			"phrase that turns the text", `phrase="INTERNAL USE"`,
			`phrase="INTERNAL &#x202e;ESU"`,
			16, "phrase", `text of "markingData" is longer than 1024 bytes or holds a control or direction character`,
		},
		{
			"phrase too long", `phrase="INTERNAL USE"`,
			"phrase=\"" + long + long + long + long + "\"",
			16, "phrase", `text of "markingData" is longer than 1024 bytes or holds a control or direction character`,
		},
		{
			"qualifier with a control character", `markingQualifier="GRP "`,
			`markingQualifier="GRP&#9;"`,
			76, "phrase", `text of "qualifier" is longer than 1024 bytes or holds a control or direction character`,
		},
		{
			"unknown element", `<spif:privacyMarks>`,
			`<spif:extraRule/><spif:privacyMarks>`,
			124, "element", `element "spif:extraRule" is not known inside "SPIF": it could be a rule, so that the file is refused`,
		},
		{
			"element misspelt", `<spif:excludedClass>PUBLIC</spif:excludedClass>`,
			`<spif:excludedClasses>PUBLIC</spif:excludedClasses>`,
			72, "element", `element "spif:excludedClasses" is not known inside "tagCategory": it could be a rule, so that the file is refused`,
		},
		{
			"foreign element", `<spif:privacyMarks>`,
			`<x xmlns="urn:x"/><spif:privacyMarks>`,
			124, "element", `element "x" is not known inside "SPIF": it could be a rule, so that the file is refused`,
		},
		{
			"rule in no namespace", `<spif:excludedClass>PUBLIC</spif:excludedClass>`,
			`<excludedClass>PUBLIC</excludedClass>`,
			72, "element", `element "excludedClass" inside "tagCategory" is in namespace "", not "http://www.xmlspif.org/spif"`,
		},
		{
			"text where none belongs", `<spif:privacyMarks>`,
			`except Tuesdays<spif:privacyMarks>`,
			3, "text", `element "SPIF" holds text, which has no meaning there`,
		},
		{
			"element in an excluded class", `<spif:excludedClass>PUBLIC<`,
			`<spif:excludedClass><b/>PUBLIC<`,
			72, "element", `element "b" is not known inside "excludedClass"`,
		},
		{
			"language", `xml:lang="fr"`,
			`xml:lang="fr_FR"`,
			19, "language", `xml:lang "fr_FR" is not a language tag such as fr or en-GB`,
		},
		{
			"tag name with a control character", `<spif:securityCategoryTag name="Project"`,
			`<spif:securityCategoryTag name="Pro&#x202e;ject"`,
			105, "tag-name", `tag name "Pro\u202eject" holds a control or direction character`,
		},
		{
			"version with a control character", `version="7"`,
			`version="7&#9;8"`,
			3, "phrase", `text of "SPIF" is longer than 1024 bytes or holds a control or direction character`,
		},
		{
			"privacy mark that turns the text", `<spif:privacyMark name="CLEAR"/>`,
			`<spif:privacyMark name="CL&#x2066;EAR"/>`,
			125, "privacy-mark", `privacy mark name "CL\u2066EAR" holds a control or direction character`,
		},
	}
	guard := readData(t, "guard/guard.spif.xml")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(guard, tt.old, tt.new, 1)
			if text == guard {
				t.Fatal("nothing changed")
			}
			p, problems := spif.Parse("guard.xml", []byte(text))
			if p != nil {
				t.Fatalf("loaded: %v", problems)
			}
			want := spif.Problem{File: "guard.xml", Line: tt.line, Rule: tt.rule, Text: tt.text}
			if !slices.Contains(problems, want) {
				t.Errorf("got %v\nwant %v", problems, want)
			}
		})
	}
	if len(tests) < 100 {
		t.Errorf("only %d rows", len(tests))
	}
}

// TestMoreMayFollow: names in rules are looked up once numbers and names are in order; until then the last line says so, and then nothing
// does.
func TestMoreMayFollow(t *testing.T) {
	const misspelt = `<spif:excludedClass>PUBLIK</spif:excludedClass>`
	guard := strings.Replace(readData(t, "guard/guard.spif.xml"), `<spif:excludedClass>PUBLIC</spif:excludedClass>`, misspelt, 1)
	for _, tt := range []struct {
		name, old, new string
		note           bool
	}{
		{"only a reference", "", "", false},
		{"a number that is there twice", `lacv="5" hierarchy="4"`, `lacv="2" hierarchy="4"`, true},
		{"in the line of the policy", `version="7"`, `version="7" notBefore="2026-01-01T00:00:00Z" notAfter="2025-01-01T00:00:00Z"`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, problems := spif.Parse("guard.xml", []byte(strings.Replace(guard, tt.old, tt.new, 1)))
			if p != nil || len(problems) == 0 {
				t.Fatalf("loaded: %v", problems)
			}
			found := slices.ContainsFunc(problems, func(q spif.Problem) bool { return strings.Contains(q.Text, "PUBLIK") })
			last := problems[len(problems)-1]
			if said := last.Warning && strings.Contains(last.Text, "more may follow"); said != tt.note || found == tt.note {
				t.Errorf("got %v, want a note that more may follow: %v", problems, tt.note)
			}
		})
	}
}
