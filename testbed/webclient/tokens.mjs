// One person with xmpp.js and all that SASL2 (XEP-0388) has asked for at once: a resource (XEP-0386), stream management (XEP-0198) and a token to log in
// with the next time (XEP-0484). The connection breaks and is resumed by the token; another start of the client has only the token; a wrong one is
// refused and the password asked for.
//
// Reads and writes the same as converse.mjs; what is told of a login is its mechanism and what came of it.
import { readFileSync } from 'node:fs';
import { client, xml } from '@xmpp/client';
import WebSocket from 'ws';
import { reach } from './reach.mjs';

const job = JSON.parse(readFileSync(0, 'utf8'));
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');
const patience = 90_000;
globalThis.WebSocket ??= WebSocket; // Node has one from version 22 on
reach(job);
const userAgent = xml('user-agent', { id: 'd4565fa7-4d72-4749-b3d3-740edbf87770' }, xml('software', {}, 'xmpp.js'), xml('device', {}, 'bench'));
const [me, friend] = job.people;

function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), patience); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const once = (emitter, event) => new Promise((resolve) => { emitter.once(event, resolve); });

// make is a client that tells how it logs in.
function make(who, secrets, agent = userAgent) {
  const [username, domain] = who.jid.split('@');
  const xmpp = client({ service: job.service, domain, credentials: { username, ...secrets }, userAgent: agent, resource: 'tag' });
  xmpp.timeout = patience; // by itself it gives a busy server two seconds for each answer
  xmpp.on('error', (e) => say({ error: String(e).slice(0, 300) }));
  xmpp.heard = [];
  xmpp.on('stanza', (s) => {
    if (s.is('message') && s.getChildText('body')) xmpp.heard.push(s.getChildText('body'));
    xmpp.emit('something');
  });
  xmpp.on('send', (e) => {
    if (e.is('authenticate', 'urn:xmpp:sasl:2')) say({ mechanism: e.attrs.mechanism, asks: e.getChildElements().map((c) => c.name).join(' ') });
    if (e.is('auth', 'urn:ietf:params:xml:ns:xmpp-sasl')) say({ mechanism: 'old ' + e.attrs.mechanism });
  });
  xmpp.on('nonza', (e) => {
    if (e.getNS() !== 'urn:xmpp:sasl:2') return;
    if (e.is('success')) say({ success: e.getChildElements().map((c) => c.name).join(' '), address: e.getChildText('authorization-identifier') });
    if (e.is('failure')) say({ refused: e.getChildElements()[0].name });
  });
  return xmpp;
}

const hears = (xmpp, text) => within(`"${text}"`, new Promise((resolve) => {
  const there = () => xmpp.heard.includes(text);
  if (there()) return resolve();
  xmpp.on('something', () => there() && resolve());
}));

const write = (xmpp, to, text) => xmpp.send(xml('message', { type: 'chat', to }, xml('body', {}, text)));

try {
  const other = make(friend, { password: friend.password }, xml('user-agent', { id: 'e11e5aa6-9a3f-4b2b-8b53-5a0d6e3c3c11' }));
  await within('the login of the friend', other.start());
  await other.send(xml('presence'));

  let kept;
  const xmpp = make(me, { password: me.password });
  xmpp.fast.saveToken = async (t) => { kept = t; };
  xmpp.fast.fetchToken = async () => kept;
  const address = String(await within('the login', xmpp.start()));
  say({ loggedIn: address });
  await xmpp.send(xml('presence'));
  if (!(new Date(kept.expiry) > new Date())) throw new Error(`a token until ${kept.expiry}`);
  say({ token: kept.mechanism });

  const resumed = once(xmpp.streamManagement, 'resumed');
  xmpp.reconnect.delay = 1_000;
  const gone = once(xmpp, 'disconnect');
  const raw = xmpp.socket.socket ?? xmpp.socket;
  (raw.terminate ?? raw.destroy).call(raw);
  await within('the end of the connection', gone);
  await write(other, address, 'said meanwhile');
  await within('the resumption', resumed);
  await hears(xmpp, 'said meanwhile');
  say({ resumed: String(xmpp.jid), times: xmpp.heard.length });
  await write(xmpp, friend.jid, 'back again');
  await hears(other, 'back again');
  xmpp.reconnect.stop();
  await within('the end', xmpp.stop());

  const again = make(me, { token: kept });
  again.fast.saveToken = async (t) => { kept = t; };
  say({ loggedIn: String(await within('the login by the token', again.start())) });
  await within('the end', again.stop());

  const wrong = make(me, { password: me.password, token: { ...kept, token: kept.token + 'x' } });
  wrong.fast.saveToken = async (t) => { kept = t; };
  say({ loggedIn: String(await within('the login with a wrong token', wrong.start())) });
  await within('the end', wrong.stop());
  other.reconnect.stop();
  await within('the end', other.stop());
  say({ done: true });
  process.exit(0);
} catch (e) {
  say({ failed: String(e).slice(0, 1000) });
  process.exit(1);
}
