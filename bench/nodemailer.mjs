// Sends NUMBER mails to PORT by nodemailer's pool of CONNECTIONS, composing each from `mail.json`; prints the cost of one.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(`${process.cwd()}/`);
const [port, connections, number] = process.argv.slice(2).map(Number);
const mail = JSON.parse(readFileSync('mail.json', 'utf8'));
const pool = require('nodemailer').createTransport({
  pool: true, host: '127.0.0.1', port, secure: false, ignoreTLS: true, name: 'localhost',
  maxConnections: connections, maxMessages: Infinity,
});

async function worker(next) {
  for (let reader = next(); reader < number; reader = next()) {
    const own = `reader${String(reader).padStart(10, '0')}`;
    await pool.sendMail({
      from: mail.from, to: `reader${reader}@example.org`, subject: mail.subject,
      envelope: { from: mail.sender, to: `reader${reader}@example.org` },
      text: mail.text.replaceAll(mail.reader, own), html: mail.html.replaceAll(mail.reader, own),
      attachments: [{ filename: 'event.ics', content: mail.calendar, contentType: 'text/calendar; method=PUBLISH' }],
    });
  }
}

let taken = 0;
const next = () => taken++;
const [wall, cpu] = [process.hrtime.bigint(), process.cpuUsage()];
// Two mails for each connection are under way, so that none waits for the next to be composed.
await Promise.all(Array.from({ length: 2 * connections }, () => worker(next)));
const used = process.cpuUsage(cpu);
pool.close();
console.log(JSON.stringify({
  cpu: (used.user + used.system) / 1e6 / number, wall: Number(process.hrtime.bigint() - wall) / 1e9 / number,
  memory: process.resourceUsage().maxRSS / 1024,
}));
