/** Opens a connection, waits for its first whole look, closes it; then nothing keeps the process alive. Arguments: kubeconfig, context. */
import { ClusterConnection } from "../../../adapters/kubernetes/connection.ts";

const [file = "", context = ""] = process.argv.slice(2);
{
  await using connection = ClusterConnection.open({
    target: "cluster/a",
    source: { kind: "kubeconfig", file, context },
    onChange: () => undefined,
  });
  await connection.synced(AbortSignal.timeout(20_000));
  await connection.readObservation(AbortSignal.timeout(20_000));
}
process.stdout.write("closed\n");
