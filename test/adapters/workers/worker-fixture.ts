import { serveTasks } from "../../../adapters/workers/index.ts";
import { TASKS } from "./tasks-fixture.ts";

serveTasks(TASKS);
