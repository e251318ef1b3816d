// Sends numbered views with RudderStack's client for Node: node rudderstack.mjs URL KEY COUNT
import { createRequire } from "node:module";

const Analytics = createRequire(`${process.cwd()}/`)("@rudderstack/rudder-sdk-node");
const [dataPlaneUrl, writeKey, count] = process.argv.slice(2);
const analytics = new Analytics(writeKey, {
  dataPlaneUrl,
  flushAt: 20,
  retryCount: 100,
  axiosRetryConfig: { retryDelay: () => 20 },
});
const sent = Array.from({ length: Number(count) }, (_, number) => {
  const message = { userId: "ada", event: "Product Viewed", properties: { product_id: `p${number}` } };
  return new Promise((resolve, reject) => analytics.track(message, (error) => (error ? reject(error) : resolve())));
});
const flushing = setInterval(() => analytics.flush(), 50);
await Promise.all(sent);
clearInterval(flushing);
