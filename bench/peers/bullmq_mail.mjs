// BullMQ, a job a message, nodemailer's pool and Handlebars, as their guides show them.
// Fill the queue: `node bullmq_mail.mjs fill 10000`. Work: `node bullmq_mail.mjs work`.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Queue, Worker } from 'bullmq';
import Handlebars from 'handlebars';
import nodemailer from 'nodemailer';

const QUEUE = 'mail';
const AT_ONCE = 1000;
const CONCURRENCY = 50;
const folder = process.env.WORDS;
const redis = new URL(process.env.REDIS_URL);
const connection = {
  host: redis.hostname,
  port: Number(redis.port),
  db: Number(redis.pathname.slice(1) || 0),
  maxRetriesPerRequest: null,
};
const read = (name) => readFileSync(join(folder, name), 'utf8');

async function fill(messages) {
  const queue = new Queue(QUEUE, { connection });
  const lines = read('messages.jsonl').split('\n').slice(0, messages);
  for (let first = 0; first < lines.length; first += AT_ONCE) {
    await queue.addBulk(
      lines.slice(first, first + AT_ONCE).map((line) => ({
        name: 'send',
        data: JSON.parse(line),
        opts: { removeOnComplete: true },
      })),
    );
  }
  await queue.close();
}

function work() {
  const about = JSON.parse(read('about.json'));
  const templates = Object.fromEntries(
    ['en', 'es'].map((language) => [
      language,
      {
        subject: Handlebars.compile(read(`${language}.subject`), { noEscape: true }),
        text: Handlebars.compile(read(`${language}.text`), { noEscape: true }),
        html: Handlebars.compile(read(`${language}.html`)),
      },
    ]),
  );
  const transport = nodemailer.createTransport({
    pool: true,
    host: '127.0.0.1',
    port: Number(process.env.SINK_PORT),
    ignoreTLS: true,
    maxConnections: 10,
    maxMessages: Infinity,
  });
  const worker = new Worker(
    QUEUE,
    async ({ data }) => {
      const words = templates[data.language];
      await transport.sendMail({
        from: { name: about.names[data.language], address: about.sender },
        to: data.to,
        subject: words.subject(data),
        text: words.text(data),
        html: words.html(data),
        messageId: data.message_id,
        list: { unsubscribe: data.link },
        headers: {
          'Auto-Submitted': 'auto-generated',
          'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
          'Content-Language': data.language,
        },
      });
    },
    { connection, concurrency: CONCURRENCY },
  );
  process.on('SIGTERM', async () => {
    await worker.close(true);
    process.exit(0);
  });
}

const [, , what, messages] = process.argv;
if (what === 'fill') await fill(Number(messages));
else work();
