import { API, type SignInAnswer } from "../../core/api/shapes.ts";
import { ApiClient } from "../api.ts";
import { printResult } from "../output.ts";
import type { ConfigOptions, OutputOptions } from "../tree/common.ts";

/** What `firebreak sign-in` takes. */
export interface SignInOptions extends OutputOptions, ConfigOptions {
  readonly view?: true;
}

/** `firebreak sign-in`: a link into the console, under the address by which the service is reached from here. */
export async function signIn({ view, ...options }: SignInOptions): Promise<number> {
  const api = await ApiClient.connect(options.config);
  const answer = await api.post<SignInAnswer>(API.signIn, view === true ? { view } : {});
  const link = api.addressOf(answer.path);
  await printResult(options.output, { ...answer, link }, () => link);
  return 0;
}
