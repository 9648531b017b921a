package config

func (c *checker) policy() {
	if len(c.cfg.Policy.SPIF) == 0 && !c.errorAt("policy.spif") {
		c.risk("policy.spif", "there is no security policy, so no label can be read, and what must have one is refused", "name a SPIF file")
	}
}
