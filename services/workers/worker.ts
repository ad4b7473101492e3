/** The module that a worker process runs. Bundled, it is a file of its own beside the command line's. */
import { serveTasks } from "../../adapters/workers/index.ts";
import { TASKS } from "./tasks.ts";

serveTasks(TASKS);
