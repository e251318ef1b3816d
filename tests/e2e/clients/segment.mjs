// Sends numbered views with Segment's client for Node: node segment.mjs URL KEY COUNT
import { createRequire } from "node:module";

const { Analytics } = createRequire(`${process.cwd()}/`)("@segment/analytics-node");
const [host, writeKey, count] = process.argv.slice(2);
const analytics = new Analytics({ host, writeKey, flushAt: 20, maxRetries: 100 });
const lost = [];
analytics.on("error", (error) => lost.push(error));
for (let number = 0; number < Number(count); number++) {
  analytics.track({ userId: "ada", event: "Product Viewed", properties: { product_id: `p${number}` } });
}
await analytics.closeAndFlush({ timeout: 240_000 });
if (lost.length) throw lost[0];
