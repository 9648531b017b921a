// Two people with xmpp.js: they log in, ask for their rosters, ping the server, and chat.
//
// Reads and writes the same as converse.mjs.
import { readFileSync } from 'node:fs';
import { client, xml } from '@xmpp/client';
import WebSocket from 'ws';

const job = JSON.parse(readFileSync(0, 'utf8'));
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');
const patience = 90_000;
globalThis.WebSocket ??= WebSocket; // Node has one from version 22 on

function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), patience); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function logIn(who) {
  const xmpp = client({ service: job.service, domain: job.domain, username: who.jid.split('@')[0], password: who.password });
  xmpp.timeout = patience; // by itself it gives a busy server two seconds for each answer
  xmpp.reconnect.stop();
  xmpp.heard = [];
  xmpp.on('error', (e) => say({ error: String(e).slice(0, 300), jid: who.jid }));
  xmpp.on('stanza', (s) => {
    if (s.is('message') && s.getChildText('body')) xmpp.heard.push({ from: s.attrs.from, text: s.getChildText('body') });
    xmpp.emit('something');
  });
  const address = await within('the login of ' + who.jid, xmpp.start());
  say({ loggedIn: String(address) });
  await within('the roster', xmpp.iqCaller.get(xml('query', 'jabber:iq:roster')));
  await within('a ping', xmpp.iqCaller.get(xml('ping', 'urn:xmpp:ping'), job.domain));
  // Before the server has taken its presence, what is said to all clients of somebody goes to those of other tests alone.
  const here = new Promise((resolve) => { xmpp.on('stanza', (s) => s.is('presence') && s.attrs.from === String(address) && resolve()); });
  await xmpp.send(xml('presence'));
  await within('its own presence', here);
  return xmpp;
}

async function read(xmpp, from, text) {
  const there = () => xmpp.heard.filter((m) => m.text === text && m.from.split('/')[0] === from).length;
  await within('the message to ' + xmpp.jid, new Promise((resolve) => {
    if (there()) return resolve();
    xmpp.on('something', () => there() && resolve());
  }));
  say({ read: text, times: there() });
}

const write = (xmpp, to, text) => xmpp.send(xml('message', { type: 'chat', to }, xml('body', {}, text)));

const clients = [];
try {
  for (const who of job.people) clients.push(await logIn(who));
  const [a, b] = job.people.map((p) => p.jid);
  await write(clients[0], b, job.texts[0]);
  await read(clients[1], a, job.texts[0]);
  await write(clients[1], a, job.texts[1]);
  await read(clients[0], b, job.texts[1]);
  await Promise.all(clients.map((c) => within('the end', c.stop())));
  say({ done: true });
  process.exit(0);
} catch (e) {
  say({ failed: String(e).slice(0, 1000) });
  process.exit(1);
}
