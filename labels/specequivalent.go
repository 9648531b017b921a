package labels

// The specification of equivalences with other policies (Open XML SPIF: equivalentPolicy, equivalentClassification,
// equivalentSecCategoryTag, equivalentSecurityCategoryTagSet). A Policy field names an entry of PolicySpec.Equivalents.

// Applied says in which direction an equivalence holds, as the SPIF has it. The zero value holds in none.
type Applied uint8

const (
	NoApplied      Applied = iota
	AppliedEncrypt         // when the originator's side translates
	AppliedDecrypt         // when the recipient's side does
	AppliedBoth
)

func (a Applied) String() string {
	switch a {
	case AppliedEncrypt:
		return "encrypt"
	case AppliedDecrypt:
		return "decrypt"
	case AppliedBoth:
		return "both"
	case NoApplied:
	}
	return "none"
}

// Encrypt says whether the originator's side may use the equivalence.
func (a Applied) Encrypt() bool { return a == AppliedEncrypt || a == AppliedBoth }

// Decrypt says whether the recipient's side may use it.
func (a Applied) Decrypt() bool { return a == AppliedDecrypt || a == AppliedBoth }

// EquivalentPolicySpec is another policy that labels can be translated to. Name is what this policy calls it; the
// other one may call itself something else, so that only ID identifies it.
type EquivalentPolicySpec struct {
	Name, ID string
	Required []RequiredSpec // in the other policy: what every translated label needs
	Line     int
}

// EquivalentClassSpec is a classification of another policy.
type EquivalentClassSpec struct {
	Policy   string
	LACV     uint32
	Applied  Applied
	Required []RequiredSpec // in the other policy
	Line     int
}

// EquivalentCategorySpec is a category value of another policy, or with Discard the statement that the value may be
// dropped.
type EquivalentCategorySpec struct {
	Policy  string
	TagSet  string // OID
	Kind    Kind   // InformativeBits stands for both informative kinds
	LACV    uint32
	Applied Applied
	Discard bool
	Line    int
}

// EquivalentTagSetSpec says what a translated label needs when it had any value of the tag set.
type EquivalentTagSetSpec struct {
	Policy   string
	Name, ID string
	Required []RequiredSpec // in the other policy
	Line     int
}
