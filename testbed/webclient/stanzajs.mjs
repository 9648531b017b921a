// Two people with StanzaJS: it finds the server by host-meta (XEP-0156), they log in by WebSocket or BOSH, ask for their rosters, and chat; one of them
// is silent for longer than a request is held.
//
// Reads and writes the same as converse.mjs; transport is "websocket" or "bosh".
import { readFileSync } from 'node:fs';
import { createClient } from 'stanza';
import { reach } from './reach.mjs';

const job = JSON.parse(readFileSync(0, 'utf8'));
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');
const patience = 90_000;

reach(job);

function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), patience); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function logIn(who) {
  const client = createClient({
    jid: who.jid, password: who.password, transports: { [job.transport]: job.service || true }, autoReconnect: false, resource: job.transport, timeout: patience / 1000,
  });
  client.heard = [];
  client.on('message', (m) => { if (m.body) client.heard.push(m); });
  client.on('stream:error', (e) => say({ error: JSON.stringify(e).slice(0, 300), jid: who.jid }));
  const began = new Promise((resolve, reject) => {
    client.on('session:started', resolve);
    client.on('auth:failed', () => reject(new Error('no login of ' + who.jid)));
    client.on('disconnected', () => reject(new Error('disconnected before the login of ' + who.jid)));
  });
  client.connect();
  await within('the login of ' + who.jid, began);
  say({ loggedIn: client.jid, service: client.transport.url ?? client.transport.socket?.url });
  await within('the roster', client.getRoster());
  await within('a ping', client.ping(job.domain));
  // Before the server has taken its presence, what is said to all clients of somebody goes to those of other tests alone.
  const here = new Promise((resolve) => { client.on('presence', (p) => p.from === client.jid && resolve()); });
  client.sendPresence();
  await within('its own presence', here);
  return client;
}

async function read(client, from, text) {
  const there = () => client.heard.filter((m) => m.body === text && m.from.split('/')[0] === from).length;
  await within('the message to ' + client.jid, new Promise((resolve) => {
    if (there()) return resolve();
    client.on('message', () => there() && resolve());
  }));
  say({ read: text, times: there() });
}

const write = (client, to, text) => client.sendMessage({ to, type: 'chat', body: text });

try {
  const clients = [];
  for (const who of job.people) clients.push(await logIn(who));
  const [a, b] = job.people.map((p) => p.jid);
  write(clients[0], b, job.texts[0]);
  await read(clients[1], a, job.texts[0]);
  if (job.silent) await new Promise((resolve) => { setTimeout(resolve, job.silent * 1000); });
  write(clients[1], a, job.texts[1]);
  await read(clients[0], b, job.texts[1]);
  for (const client of clients) {
    // Its BOSH transport ends itself at once. When it is given the answers to the requests that were open still it fails, and never says that it
    // is disconnected.
    const end = new Promise((resolve, reject) => {
      client.on('disconnected', resolve);
      client.transport.on('error', (e) => (e.code === 'ERR_STREAM_PUSH_AFTER_EOF' ? resolve() : reject(e)));
    });
    client.disconnect();
    await within('the end', end);
  }
  say({ done: true });
  process.exit(0);
} catch (e) {
  say({ failed: String(e).slice(0, 1000) });
  process.exit(1);
}
