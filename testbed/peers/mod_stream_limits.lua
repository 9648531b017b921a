-- XEP-0478 for Prosody 0.12, which enforces its limit and does not say so: tells other servers what it takes.
local st = require "util.stanza";
local limit = module:get_option_number("s2s_stanza_size_limit", 1024*512);

module:hook("s2s-stream-features", function (event)
	if event.origin.type ~= "s2sin" then return; end -- before authentication another limit holds
	local limits = st.stanza("limits", { xmlns = "urn:xmpp:stream-limits:0" });
	limits:text_tag("max-bytes", string.format("%d", limit)):up();
	event.features:add_child(limits);
end);
