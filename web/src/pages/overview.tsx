import { Alert, Anchor, Badge, Code, Loader, Stack, Table, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import type { OverviewAnswer, TargetState, TargetStatus } from "../../../core/api/shapes.ts";
import { counted, Moment, Said } from "../words.tsx";

const COLORS: Readonly<Partial<Record<TargetState, string>>> = {
  "in sync": "green",
  "plan only": "gray",
  pending: "blue",
  drifted: "red",
};

interface Props {
  readonly answer: OverviewAnswer | undefined;
  readonly looked: OverviewAnswer["looked"] | undefined;
}

/** How things are: the revision, the targets by state, what Firebreak lacks, and who needs somebody. */
export function Overview({ answer, looked }: Props): ReactNode {
  if (answer === undefined) return <Loader aria-label="The overview is read" />;
  const { revision, repository, troubles, gaps, channels, attention, moreAttention } = answer;
  return (
    <Stack>
      <Title order={1}>Overview</Title>
      {revision === null ? (
        <Text>No revision is in force yet. The first commit that Firebreak can read becomes one.</Text>
      ) : (
        <Text>
          Revision {revision.sequence}, commit <Code>{revision.commit.slice(0, 10)}</Code>: <Said text={revision.subject} />, in
          force since <Moment at={revision.acceptedAt} />
        </Text>
      )}
      {repository.refused === null ? null : (
        <Alert color="red" title="The newest commit is not in force">
          <Code>{repository.refused.commit.slice(0, 10)}</Code> {repository.refused.code}:{" "}
          <Said text={repository.refused.message} />
        </Alert>
      )}
      {repository.error === null ? null : (
        <Alert color="orange" title="The repository cannot be read">
          {repository.error.code}: <Said text={repository.error.message} />
        </Alert>
      )}
      {troubles.map(({ service, since, error }) => (
        <Alert key={`${service} ${error.code}`} color="red" title={`${service}: ${error.code}`}>
          <Said text={error.message} />, since <Moment at={since} />
        </Alert>
      ))}
      {channels.map(({ channel, refused, failing, error }) => (
        <Alert key={channel} color="orange" title={`Channel ${channel} does not take what it is told`}>
          {refused} refused, {failing} tried again{error === null ? "" : ": "}
          {error === null ? null : <Said text={error.message} />}
        </Alert>
      ))}
      {gaps.length === 0 ? null : (
        <Alert color="orange" title={`Nobody watched ${gaps.length === 1 ? "once" : `${gaps.length} times`} within the last day`}>
          Last from <Moment at={gaps.at(-1)?.from ?? null} /> to <Moment at={gaps.at(-1)?.until ?? null} />. What came and went then
          is not known.
        </Alert>
      )}
      <Title order={2}>{counted(answer.targets, "target")}</Title>
      {answer.targets === 0 ? (
        <Text>No cluster and no host is in the definitions yet.</Text>
      ) : (
        <States answer={answer} looked={looked ?? answer.looked} />
      )}
      <Title order={2}>Who needs somebody</Title>
      {attention.length === 0 ? (
        <Text>Nobody: every target is in sync and nothing is found there.</Text>
      ) : (
        <Attention rows={attention} />
      )}
      {moreAttention === 0 ? null : (
        <Text>
          And {counted(moreAttention, "target")} more: <Code>firebreak status</Code> lists all.
        </Text>
      )}
    </Stack>
  );
}

function States({ answer, looked }: { readonly answer: OverviewAnswer; readonly looked: OverviewAnswer["looked"] }): ReactNode {
  return (
    <>
      <Table captionSide="top" withTableBorder>
        <Table.Caption>Targets by state</Table.Caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">State</Table.Th>
            <Table.Th scope="col">Targets</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {answer.states.map(({ state, count }) => (
            <Table.Tr key={state}>
              <Table.Td>
                <StateBadge state={state} />
              </Table.Td>
              <Table.Td>{count}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Text>
        Read back: the last <Moment at={looked.newest} />, the one that waits longest <Moment at={looked.oldest} />
        {looked.never === 0 ? "" : `, never: ${looked.never}`}.
      </Text>
      <Text>
        Open findings:{" "}
        {answer.findings.length === 0 ? "none" : answer.findings.map(({ severity, count }) => `${count} ${severity}`).join(", ")}.{" "}
        <Anchor href="#/inbox" underline="always">
          Inbox
        </Anchor>
      </Text>
    </>
  );
}

function Attention({ rows }: { readonly rows: readonly TargetStatus[] }): ReactNode {
  return (
    <Table.ScrollContainer
      minWidth={520}
      scrollAreaProps={{ viewportProps: { tabIndex: 0, "aria-label": "Targets that need somebody", role: "region" } }}
    >
      <Table withTableBorder>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Target</Table.Th>
            <Table.Th scope="col">State</Table.Th>
            <Table.Th scope="col">Open findings</Table.Th>
            <Table.Th scope="col">Why</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(({ target, state, openFindings, error, revision, wanted }) => (
            <Table.Tr key={target}>
              <Table.Td>
                <Said text={target} />
              </Table.Td>
              <Table.Td>
                <StateBadge state={state} />
              </Table.Td>
              <Table.Td>{openFindings}</Table.Td>
              <Table.Td>
                {error === null ? (
                  `revision ${revision ?? "none"} of ${wanted ?? "none"}`
                ) : (
                  <Said text={`${error.code}: ${error.message}`} />
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function StateBadge({ state }: { readonly state: TargetState }): ReactNode {
  return (
    <Badge variant="outline" color={COLORS[state] ?? "orange"} autoContrast>
      {state}
    </Badge>
  );
}
