import { z } from "zod";
import { fromPrefixes, isEmpty, isSubset, subtract } from "../../address/index.ts";
import { Cidr, cidrs } from "./addresses.ts";
import { ApiVersion, Metadata } from "./names.ts";
import { refuse } from "./text.ts";

const Spec = z
  .strictObject({
    addresses: cidrs("Where it is."),
    except: z.array(Cidr).default([]).meta({ description: "Blocks inside `addresses` that do not belong to it." }),
  })
  .superRefine((spec, context) => {
    const addresses = fromPrefixes(spec.addresses);
    for (const [index, except] of spec.except.entries()) {
      if (isSubset(fromPrefixes([except]), addresses)) continue;
      const detail = "An exception takes away from addresses, so it has to be inside them";
      refuse(context, spec, { code: "except-outside", summary: "the exception is not inside addresses", detail }, [
        "except",
        index,
      ]);
    }
    if (!isEmpty(subtract(addresses, fromPrefixes(spec.except)))) return;
    refuse(context, spec, { code: "empty-addresses", summary: "except takes away every address", detail: "Leave at least one" }, [
      "except",
    ]);
  });

/** Something known only by its addresses. */
export const ExternalDocument = z
  .strictObject({ apiVersion: ApiVersion, kind: z.literal("External"), metadata: Metadata, spec: Spec })
  .meta({ description: "Something unmanaged that is known by its addresses: enforced on the other side only." });
export type ExternalDocument = z.output<typeof ExternalDocument>;
