/** Work in processes of its own, with a deadline and a memory limit. */
export { WorkerPool, type LaneOptions } from "./pool.ts";
export { isOverBudget, overBudgetText, type Outcome, type OverBudget } from "./outcome.ts";
export { serveTasks, type Tasks } from "./serve.ts";
