import type { Service } from "./inventory.ts";

/** Services by `namespace/name`, made once per list: lists of services are never changed once made. */
const indices = new WeakMap<readonly Service[], ReadonlyMap<string, Service>>();

/** The service of that name, or undefined when the cluster has none. */
export function findService(services: readonly Service[], namespace: string, name: string): Service | undefined {
  return indexOf(services).get(serviceKey({ namespace, name }));
}

/** `namespace/name`. */
export function serviceKey({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}

/** True when labels say what stands behind the service; otherwise its endpoints do. */
export function hasSelector(service: Service): boolean {
  return Object.keys(service.selector).length > 0;
}

function indexOf(services: readonly Service[]): ReadonlyMap<string, Service> {
  const known = indices.get(services);
  if (known !== undefined) return known;
  const index = new Map(services.map((service) => [serviceKey(service), service]));
  indices.set(services, index);
  return index;
}
