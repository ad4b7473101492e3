import { Alert, Badge, Button, Code, Group, Loader, Paper, Stack, Text, TextInput, Title } from "@mantine/core";
import { useState, type ReactNode } from "react";
import { API, type CauseAnswer, type CausesAnswer, type OverviewAnswer, type SessionAnswer } from "../../../core/api/shapes.ts";
import { ask } from "../client.ts";
import { setQuery, type Route } from "../route.ts";
import { counted, Moment, Said, VERDICTS } from "../words.tsx";

interface Props {
  readonly answer: CausesAnswer | undefined;
  readonly route: Route;
  readonly session: SessionAnswer;
  readonly looked: OverviewAnswer["looked"] | undefined;
}

/** What is open, a row for each cause: what it does to connections first. */
export function Inbox({ answer, route, session, looked }: Props): ReactNode {
  if (answer === undefined) return <Loader aria-label="The inbox is read" />;
  const search = route.query.get("q") ?? "";
  const shown = answer.causes.filter((cause) => matches(cause, search));
  return (
    <Stack>
      <Title order={1}>Inbox</Title>
      <TextInput
        label="Only rows with"
        placeholder="a target, an object, a segment"
        value={search}
        onChange={(event) => setQuery(route, "q", event.currentTarget.value)}
      />
      {answer.isWhole && answer.more === 0 ? null : (
        <Alert color="orange" title="Not everything is shown">
          {answer.more > 0 ? `${counted(answer.more, "cause")} more. ` : ""}
          {answer.isWhole ? "" : "There are more open findings than are read at once. "}
          <Code>firebreak findings</Code> lists all.
        </Alert>
      )}
      {answer.causes.length === 0 ? (
        <Text>
          Nothing is open. The last comparison: <Moment at={looked?.newest ?? null} />.
        </Text>
      ) : null}
      {answer.causes.length > 0 && shown.length === 0 ? (
        <Text>None of {counted(answer.causes.length, "row")} has that.</Text>
      ) : null}
      {shown.map((cause) => (
        <CauseRow key={cause.id} cause={cause} session={session} />
      ))}
    </Stack>
  );
}

function matches({ subject, summary, who, targets, effect, kind }: CauseAnswer, search: string): boolean {
  const text = [subject, summary, who ?? "", kind, ...targets, ...effect.opened, ...effect.closed].join("\n").toLowerCase();
  return text.includes(search.toLowerCase());
}

function CauseRow({ cause, session }: { readonly cause: CauseAnswer; readonly session: SessionAnswer }): ReactNode {
  const { glyph, words, color } = VERDICTS[cause.effect.verdict];
  return (
    <Paper component="article" withBorder p="md" aria-label={cause.subject.slice(0, 100)}>
      <Group gap="xs">
        <Badge variant="outline" color={color}>
          {glyph} {words}
        </Badge>
        <Badge variant="outline" color="gray">
          {cause.severity}
        </Badge>
        <Text size="sm">{cause.kind}</Text>
      </Group>
      <Lines what="Opens" lines={cause.effect.opened} />
      <Lines what="Closes" lines={cause.effect.closed} />
      <Text mt="xs">
        <Said text={cause.subject} />: <Said text={cause.summary} />
      </Text>
      <Text size="sm">
        On {counted(cause.count, "target")}: <Said text={cause.targets.join(", ")} />
        {cause.count > cause.targets.length ? ` and ${cause.count - cause.targets.length} more` : ""}
      </Text>
      <Text size="sm">
        {cause.who === null ? (
          "Who wrote it is not known"
        ) : (
          <>
            Written by <Said text={cause.who} />
          </>
        )}
        , since <Moment at={cause.firstSeen} />
        {cause.at === null ? (
          ""
        ) : (
          <>
            , about <Said text={cause.at} />
          </>
        )}
      </Text>
      <Text size="sm">{nextOf(cause)}</Text>
      <Group mt="xs">
        {session.mayWrite ? <Again cause={cause} session={session} /> : null}
        <Code>firebreak findings {cause.fingerprint}</Code>
      </Group>
    </Paper>
  );
}

function Lines({ what, lines }: { readonly what: string; readonly lines: readonly string[] }): ReactNode {
  if (lines.length === 0) return null;
  return (
    <>
      <Text fw={700} mt="xs">
        {what}
      </Text>
      <ul>
        {lines.map((line) => (
          <li key={line}>
            <Said text={line} />
          </li>
        ))}
      </ul>
    </>
  );
}

function nextOf({ stopped, heals }: CauseAnswer): string {
  if (stopped) return "Repairs have stopped, because somebody writes it again and again: a person decides.";
  return heals === 0
    ? "It was not repaired so far."
    : `Repaired ${heals === 1 ? "once" : `${heals} times`}, and it is there again.`;
}

/** Asks for a look and a repair now, on each target of the row. */
function Again({ cause, session }: { readonly cause: CauseAnswer; readonly session: SessionAnswer }): ReactNode {
  const [said, setSaid] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const lookNow = async (): Promise<void> => {
    setBusy(true);
    try {
      for (const target of cause.targets) await ask("POST", API.reconcile, { csrf: session.csrf, body: { target } });
      const left = cause.count - cause.targets.length;
      setSaid(`Asked for ${counted(cause.targets.length, "target")}${left === 0 ? "" : `; ${left} were left out`}.`);
    } catch (error) {
      setSaid(`Not done: ${(error as Error).message}`);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button size="xs" variant="default" loading={isBusy} onClick={() => void lookNow()}>
        Look and repair now
      </Button>
      <Text size="sm" role="status">
        {said ?? ""}
      </Text>
    </>
  );
}
