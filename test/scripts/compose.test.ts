import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { ENVIRONMENT, parseSettings } from "../../core/config/settings.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (name: string): string => readFileSync(join(root, name), "utf8");

interface Service {
  readonly profiles: readonly string[];
  readonly build?: { readonly target: string };
  readonly image?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly privileged?: boolean;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const compose = parse(read("docker-compose.yml"), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const ours = services.filter(([, service]) => service.build?.target === "service");
const dockerfile = read("Dockerfile").replaceAll(/\\\n/g, " ").split("\n");

// No container engine runs these files in a test, so everything they name is compared with what is there.
describe("docker-compose.yml", () => {
  // Bug: a service renamed in the CLI, still started by its old name here.
  test("starts each of the three services by its own verb", () => {
    expect(ours.map(([name, service]) => [name, service.command?.[0]])).toEqual([
      ["syncer", "syncer"],
      ["drift", "drift"],
      ["console", "console"],
    ]);
  });

  // Bug: a misspelt variable, which the service refuses at start, or one that holds a secret where a reference belongs.
  test.each(ours)("%s has an environment that the settings accept", (_name, service) => {
    const environment = service.environment ?? {};
    const settings = parseSettings("repository: {url: https://git.example.org/policies.git}", environment);
    expect(settings.database).toBe("env:DATABASE_URL");
    expect(settings.redis).toBe("env:REDIS_URL");
    for (const reference of [settings.database, settings.redis])
      expect(environment).toHaveProperty(String(reference).slice("env:".length));
    for (const name of Object.keys(environment).filter((key) => key.startsWith("FIREBREAK_")))
      expect(ENVIRONMENT).toHaveProperty(name);
  });

  // Bug: the health check asks a port on which nobody listens, and the container is restarted for ever.
  test.each(ours)("%s is asked for /livez on the port on which it listens", (_name, service) => {
    const port = service.environment?.["FIREBREAK_LISTEN"]?.split(":").at(-1);
    expect(service.healthcheck?.test.join(" ")).toContain(`http://127.0.0.1:${port}/livez`);
    for (const published of service.ports ?? []) expect(published).toBe(`127.0.0.1:${port}:${port}`);
  });

  // Bug: the credentials that write to hosts and clusters lie where strangers come in; drift can sign requests.
  test("gives each service a folder of settings of its own, and the API's token to those that need it", () => {
    const folders = ours.map(([name, service]) => [name, service.volumes?.find((volume) => volume.includes(":/config"))]);
    expect(folders).toEqual(ours.map(([name]) => [name, `./config/${name}:/config:ro`]));
    const knowing = ours.filter(([, service]) => Object.hasOwn(service.environment ?? {}, "API_TOKEN")).map(([name]) => name);
    expect(knowing).toEqual(["syncer", "console"]);
  });

  // Bug: a volume nobody declared, a dependency on a service that is not started by the same profile.
  test.each(services)("%s names volumes and services that exist", (_name, service) => {
    const named = (service.volumes ?? []).map((volume) => volume.split(":")[0] ?? "").filter((source) => !source.startsWith("."));
    for (const volume of named) expect(compose.volumes).toHaveProperty(volume);
    for (const other of Object.keys(service.depends_on ?? {})) expect(compose.services[other]?.profiles).toEqual(service.profiles);
  });

  // Bug: a Redis that may throw jobs away, which the queue refuses.
  test("runs a Redis that never evicts and writes to disk", () => {
    expect(compose.services["redis"]?.command?.join(" ")).toBe("redis-server --maxmemory-policy noeviction --appendonly yes");
  });

  // Bug: the right to do anything, meant for the demonstration, given to a service.
  test("only the demonstration is privileged", () => {
    expect(services.filter(([, service]) => service.privileged).map(([name]) => name)).toEqual(["demo"]);
  });
});

describe("Dockerfile", () => {
  // Bug: a folder renamed in the tree, an image that cannot be built.
  test("copies what exists", () => {
    const copied = dockerfile.filter((line) => /^COPY (?!--from=)/.test(line)).flatMap((line) => line.split(/\s+/).slice(1, -1));
    expect(copied.length).toBeGreaterThan(5);
    for (const path of copied) expect(existsSync(join(root, path)), path).toBe(true);
  });

  // Bug: an image whose contents change under the same name, with no way to say which one.
  test("takes its base image, and compose its servers, by a digest that whoever builds gives", () => {
    expect(dockerfile.filter((line) => line.startsWith("FROM ")).every((line) => line.startsWith("FROM ${NODE_IMAGE} AS "))).toBe(
      true,
    );
    const images = services.flatMap(([, { image }]) => image ?? []);
    expect(images.length).toBeGreaterThan(0);
    for (const image of images) expect(image).toMatch(/^\$\{[A-Z]+_IMAGE:-/);
  });

  // Bug: an image for services that runs them as root.
  test("runs services as the user node, and has the stages that compose builds", () => {
    expect(dockerfile).toContain("USER node");
    for (const [, service] of services) {
      if (service.build !== undefined) expect(dockerfile.some((line) => line.endsWith(` AS ${service.build?.target}`))).toBe(true);
    }
  });
});
