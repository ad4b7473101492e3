/** The steps of the tour that need hosts only: they are played while clusters are still being built. */
import { FLEET } from "../organisation.ts";
import { commitStep } from "./commit-step.ts";
import type { Way } from "./packets.ts";
import type { Stage } from "./stage.ts";
import type { Step } from "./step.ts";
import { tamperStep } from "./tamper-step.ts";

const HOST = "ldap-blue-1";
const TABLE = "table inet firebreak";

const POLICY = `apiVersion: firebreak.dev/v1alpha1
kind: Policy
metadata: {name: tour-mainframe}
spec:
  owner: team-identity
  reason: The mainframe reads the blue directory's change list.
  rules:
    - {from: [mainframe], to: [ldap-servers-blue], ports: [8080/tcp]}
`;

export function hostSteps({ world }: Stage): readonly Step<Stage>[] {
  const host = world.host(HOST);
  const way: Way = { from: world.external("mainframe"), to: host, port: 8080, name: `mainframe → ${HOST}:8080` };
  // The fence counts the writes; everything else is as it was once it is healed.
  const look = async (): Promise<string> =>
    (await host.exec(`nft -s list ${TABLE}`)).replace(/set fence \{[^}]*\{[^}]*\}/, "set fence");
  const common = { target: `host/${FLEET}/${HOST}`, way, look };
  const nft = (command: string) => ({
    command: `on ${HOST}: nft ${command}`,
    tamper: async () => await host.exec(`nft '${command}'`),
  });
  return [
    commitStep({
      title: "A policy change is pushed, and taken back",
      path: "policies/policies/tour.yaml",
      text: POLICY,
      message: "The mainframe may ask the blue directory on 8080",
      ways: [way],
    }),
    tamperStep({
      ...common,
      ...nft("add rule inet firebreak input tcp dport 8080 accept"),
      title: "Somebody appends an accept rule on a host",
      remark: "(behind the explicit drop that ends the chain: a dead rule)",
      effect: "opens nothing",
    }),
    tamperStep({
      ...common,
      ...nft("insert rule inet firebreak input tcp dport 8080 accept"),
      title: "Somebody inserts the accept rule in front",
      effect: "opens",
    }),
    tamperStep({
      ...common,
      ...nft("chain inet firebreak input { policy accept; }"),
      title: "Somebody sets the policy of the input chain to accept",
      remark: "(the explicit drop at its end still holds)",
      effect: "opens nothing",
    }),
  ];
}
