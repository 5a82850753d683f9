// Queues on PostgreSQL that are called from JavaScript: node.mjs PEER URL; for each line of input, "WORKLOAD COUNT", prints
// the seconds that it took. What they are beside is sprongus called from Python.
import { createInterface } from "node:readline";

const KIND = "mail.send";
const INPUT = { attachments: 3, subject: "Your order 48213", to: "orders@example.org" };
const [peer, url] = process.argv.slice(2);

async function pgBoss() {
  const { default: PgBoss } = await import("pg-boss");
  const boss = new PgBoss({ connectionString: url, max: 1, supervise: false, schedule: false });
  await boss.start();
  await boss.createQueue(KIND);
  return {
    async enqueue(count) {
      for (let n = 0; n < count; n++) await boss.send(KIND, INPUT);
    },
    async enqueue_many(count) {
      await boss.insert(KIND, Array.from({ length: count }, () => ({ data: INPUT })));
    },
    async work(count) {
      for (let n = 0; n < count; n++) {
        const [job] = await boss.fetch(KIND);
        await boss.complete(KIND, job.id);
      }
    },
  };
}

// Its worker claims and completes by itself: what it does in one run, with one job at a time, is measured.
async function graphileWorker() {
  const { makeWorkerUtils, runOnce, Logger } = await import("graphile-worker");
  const logger = new Logger(() => () => {});
  const utils = await makeWorkerUtils({ connectionString: url, logger });
  await utils.migrate();
  return {
    async enqueue(count) {
      for (let n = 0; n < count; n++) await utils.addJob(KIND, INPUT);
    },
    async enqueue_many(count) {
      await utils.addJobs(Array.from({ length: count }, () => ({ identifier: KIND, payload: INPUT })));
    },
    async work() {
      await runOnce({ connectionString: url, concurrency: 1, logger, taskList: { [KIND]: async () => {} } });
    },
  };
}

const work = await { "pg-boss": pgBoss, "graphile-worker": graphileWorker }[peer]();
console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const [workload, count] = line.split(" ");
  const start = performance.now();
  await work[workload](Number(count));
  console.log((performance.now() - start) / 1000);
}
process.exit(0);
