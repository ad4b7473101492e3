import type { FlowFormat } from "../sighting.ts";
import { eks } from "./eks.ts";
import { gke } from "./gke.ts";
import { hubble } from "./hubble.ts";
import { own } from "./own.ts";
import { vpc } from "./vpc.ts";

/** Every way of writing flows down that is read. */
export const FORMATS: readonly FlowFormat[] = [own, hubble, gke, eks, vpc];
