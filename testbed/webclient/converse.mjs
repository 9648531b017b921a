// Two people with Converse.js in a headless browser: they log in, chat, and see it.
//
// Reads one JSON object: {page, service, domain, at, chromium, pictures, people: [{jid, password}, {jid, password}], texts: [text, answer]}; writes one
// line of JSON for each thing that was seen. Exits with 1 and a picture of both windows where something was not. A service that begins with https is
// reached by BOSH; without any the client looks for one by itself.
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const patience = 90_000; // matters only where something fails
const lost = 15_000; // after which what was typed and is not known anywhere is typed again
const job = JSON.parse(readFileSync(0, 'utf8'));
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');

async function logIn(browser, who) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 700 }, ignoreHTTPSErrors: true, locale: 'en-GB' });
  const page = await context.newPage();
  page.on('console', (m) => { if (m.type() === 'error') say({ console: m.text().slice(0, 300), jid: who.jid }); });
  page.on('pageerror', (e) => say({ error: String(e).slice(0, 300), jid: who.jid }));
  const known = [new URL(job.page).hostname, job.domain];
  await page.route((url) => !known.includes(url.hostname), (r) => r.abort()); // logos of its makers' sponsors
  await page.goto(job.page);
  await page.waitForFunction(() => window.converse, null, { timeout: patience });
  await page.evaluate(({ jid, password, service }) => {
    converse.plugins.add('watch', {
      initialize() {
        window.api = this._converse.api;
        this._converse.api.listen.on('connected', () => {
          const connection = this._converse.api.connection.get();
          window.connectedTo = connection.service;
          window.connectedAs = connection.jid;
        });
      },
    });
    converse.initialize({
      authentication: 'login', auto_login: true, jid, password, discover_connection_methods: !service,
      ...(service.startsWith('https:') ? { bosh_service_url: service } : service ? { websocket_url: service } : {}),
      assets_path: '/dist/', view_mode: 'fullscreen', i18n: 'en', allow_non_roster_messaging: true, whitelisted_plugins: ['watch'], blacklisted_plugins: ['converse-omemo'],
      play_sounds: false, show_desktop_notifications: false, clear_cache_on_logout: true, loglevel: 'warn', auto_reconnect: false,
      reuse_scram_keys: false, muc_respect_autojoin: false,
    });
  }, { ...who, service: job.service });
  await page.waitForFunction(() => window.connectedAs, null, { timeout: patience });
  // A message that comes before the client has said that it is there waits elsewhere.
  await page.evaluate(async () => {
    for (const what of ['rosterContactsFetched', 'chatBoxesFetched', 'presencesInitialized', 'statusInitialized', 'discoInitialized']) await window.api.waitUntil(what);
    await window.api.blocklist.get();
  });
  say({ loggedIn: await page.evaluate(() => window.connectedAs), service: await page.evaluate(() => window.connectedTo) });
  return page;
}

const bubbles = (page, text) => page.locator('converse-chat-message-body', { hasText: text });

// knows reports whether a conversation holds a text, seen or not.
const knows = (page, jid, text) => page.evaluate(async ([jid, text]) => {
  const chat = await window.api.chats.get(jid);
  return Boolean(chat?.messages?.models.some((m) => m.get('body') === text));
}, [jid, text]);

const open = (page, jid) => page.evaluate((jid) => { window.api.chats.open(jid, {}, true).catch((e) => console.error(String(e))); }, jid);

// write types a text and sends it. A window that draws itself anew meanwhile can lose what was typed: then it is typed again.
async function write(page, to, text) {
  await open(page, to);
  const box = page.locator('textarea.chat-textarea');
  for (let i = 0; i < 5; i++) {
    await box.waitFor({ timeout: patience });
    await box.fill(text);
    await box.press('Enter');
    try {
      await bubbles(page, text).first().waitFor({ timeout: lost });
      return;
    } catch {
      if (await knows(page, to, text)) return bubbles(page, text).first().waitFor({ timeout: patience });
      say({ again: text });
    }
  }
  throw new Error('what was typed was never sent');
}

// read waits until a text has come and is shown. The conversation is opened after that: opened in the same moment there can be two of it,
// one with the text and one that is shown.
async function read(page, from, text) {
  const end = Date.now() + patience;
  while (!(await knows(page, from, text))) {
    if (Date.now() > end) throw new Error(`waited in vain for: ${text}`);
    await page.waitForTimeout(100);
  }
  await open(page, from);
  await bubbles(page, text).first().waitFor({ timeout: patience });
  say({ read: text, times: await bubbles(page, text).count() });
}

const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
if (job.at) args.push(`--host-resolver-rules=MAP ${job.domain}:443 ${job.at}`);
const browser = await chromium.launch({ executablePath: job.chromium, args });
let pages = [];
try {
  for (const who of job.people) pages.push(await logIn(browser, who));
  const [a, b] = job.people.map((p) => p.jid);
  await write(pages[0], b, job.texts[0]);
  await read(pages[1], a, job.texts[0]);
  await write(pages[1], a, job.texts[1]);
  await read(pages[0], b, job.texts[1]);
  say({ done: true });
} catch (e) {
  say({ failed: String(e).slice(0, 1000) });
  process.exitCode = 1;
} finally {
  for (const [i, page] of pages.entries()) await page.screenshot({ path: `${job.pictures}/${i + 1}.png` });
  await browser.close();
}
