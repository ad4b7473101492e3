/** Needs root, git, nftables, openssh and the built control plane and enforcer. */
import { tellMainJob } from "../support/e2e-main-job.ts";

tellMainJob("embedded");
