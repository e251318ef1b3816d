// Compiled under `tsc --strict`: what may be left out is optional, and no other value fits.
import type { components, operations, webhooks } from "./api";

type Schemas = components["schemas"];
type Body<Name extends keyof operations> = operations[Name] extends {
  requestBody: { content: { "application/json": infer Content } };
}
  ? Content
  : never;

export const shortest: Body<"decide"> = { customer_id: "leaver" };
export const whole: Body<"decide"> = { customer_id: "leaver", id: "d1", channels: ["web"] };
export const many: Body<"decide_batch"> = { decisions: [shortest, whole] };
export const outcome: Body<"report_outcome"> = { kind: "converted" };
export const supposed: Body<"what_if"> = { decision_id: "d1" };
export const tracked: Body<"track"> = { userId: "7", event: "Order Completed" };
export const sent: Body<"send_batch"> = { batch: [tracked] };
export const page: NonNullable<operations["list_decisions"]["parameters"]["query"]> = {};
export const catalogue: operations["put_catalogue"]["requestBody"]["content"]["application/yaml"] = "catalogue: shop";
export const taken: Schemas["Taken"] = { success: true };
export const problem: Schemas["Problem"] = { type: "t", title: "t", status: 404, detail: "d", request_id: "r" };

export function text(made: webhooks["decision.made"]["post"]["requestBody"]["content"]["application/json"]): string {
  const choice = made.data.choice;
  return choice === null ? "" : (choice.body ?? "");
}

// @ts-expect-error A customer is needed.
export const nobody: Body<"decide"> = {};
// @ts-expect-error There is no such outcome.
export const liked: Body<"report_outcome"> = { kind: "liked" };
// @ts-expect-error A tracking route's problem repeats itself for Segment's clients.
export const tracking: Schemas["TrackingProblem"] = problem;
