package control

import (
	"context"
	"encoding/json"
)

// VerbAccountCheck has the node look at an account now: the sessions of one that may not log in any more end. Of a domain it looks at
// the groups: who is new in one is shown to the members that are connected.
const VerbAccountCheck = "account.check"

// AccountQuestion names an account, or a domain.
type AccountQuestion struct {
	Address string `json:"address"` // bare
}

// AccountChecked is what came of it.
type AccountChecked struct {
	Ended int `json:"ended"` // sessions
}

// Doorkeeper is who knows the accounts that are connected. A node without a server is none.
type Doorkeeper interface {
	CheckAccount(ctx context.Context, q AccountQuestion) (AccountChecked, error)
}

// doors are the verbs of a Doorkeeper.
func doors(d Doorkeeper) []Verb {
	return []Verb{{Name: VerbAccountCheck, Role: Operate, Changes: true, Handle: func(ctx context.Context, args json.RawMessage, _ Caller) (any, error) {
		var q AccountQuestion
		if err := Decode(args, &q); err != nil {
			return nil, err
		}
		return d.CheckAccount(ctx, q)
	}}}
}
