/** As main-job-embedded, and redis-server 7 and PostgreSQL. */
import { tellMainJob } from "../support/e2e-main-job.ts";

tellMainJob("scale-out");
