import { Alert, Anchor, Button, Container, Group, Text, Title, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useState, type ReactNode } from "react";
import { API, type CausesAnswer, type OverviewAnswer, type SessionAnswer } from "../../core/api/shapes.ts";
import { useLive, type Live } from "./live.ts";
import { Inbox } from "./pages/inbox.tsx";
import { Overview } from "./pages/overview.tsx";
import { SignIn } from "./pages/sign-in.tsx";
import { useRoute } from "./route.ts";
import { signOut, type Started } from "./session.ts";
import { useAnswer } from "./use-answer.ts";
import { Moment } from "./words.tsx";

export function App({ started }: { readonly started: Started }): ReactNode {
  if (started.session === undefined) return <SignIn why={started.why} />;
  return <SignedIn session={started.session} />;
}

function SignedIn({ session }: { readonly session: SessionAnswer }): ReactNode {
  const route = useRoute();
  const live = useLive();
  const [isOut, setOut] = useState(false);
  const overview = useAnswer<OverviewAnswer>(API.overview, live.beat?.versions.overview);
  const causes = useAnswer<CausesAnswer>(API.causes, live.beat?.versions.causes);
  if (isOut) return <SignIn why="You have signed out." />;
  if (live.kind === "out") return <SignIn why="This session is over." />;
  const error = overview.error ?? causes.error;
  return (
    <Container size="xl" py="md">
      <a className="skip" href="#main" onClick={toMain}>
        Skip to the content
      </a>
      <Group component="header" justify="space-between" mb="md">
        <Group component="nav" aria-label="Pages" gap="lg">
          <Text fw={700}>Firebreak</Text>
          <PageLink page="" now={route.page} name="Overview" />
          <PageLink
            page="inbox"
            now={route.page}
            name={causes.answer === undefined ? "Inbox" : `Inbox (${causes.answer.causes.length + causes.answer.more})`}
          />
        </Group>
        <Group>
          {session.mayWrite ? null : <Text size="sm">read only</Text>}
          <Scheme />
          <Button variant="default" size="xs" onClick={() => void signOut(session).finally(() => setOut(true))}>
            Sign out
          </Button>
        </Group>
      </Group>
      <Freshness live={live} />
      {error === undefined ? null : (
        <Alert color="red" title="Something newer could not be read" mb="md">
          {error}. What you see is what was known before.
        </Alert>
      )}
      <main id="main" tabIndex={-1}>
        {page(route.page)}
      </main>
    </Container>
  );

  function page(name: string): ReactNode {
    if (name === "") return <Overview answer={overview.answer} looked={live.beat?.looked} />;
    if (name === "inbox") return <Inbox answer={causes.answer} route={route} session={session} looked={live.beat?.looked} />;
    return (
      <>
        <Title order={1}>There is no such page</Title>
        <Anchor href="#/">Overview</Anchor>
      </>
    );
  }
}

function PageLink({ page, now, name }: { readonly page: string; readonly now: string; readonly name: string }): ReactNode {
  return (
    <Anchor
      href={`#/${page}`}
      underline={page === now ? "always" : "hover"}
      {...(page === now ? { "aria-current": "page" as const } : {})}
    >
      {name}
    </Anchor>
  );
}

/** The address has the page after its `#`: this link must not change it. */
function toMain(event: { preventDefault(): void }): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("#main")?.focus();
}

/** Says whether what is shown is how things are. Old is never shown as new. */
function Freshness({ live }: { readonly live: Live }): ReactNode {
  const asOf =
    live.beat === undefined ? (
      "Nothing was read yet"
    ) : (
      <>
        As of <Moment at={live.beat.at} />
      </>
    );
  if (live.kind === "live")
    return (
      <Text size="sm" mb="md" data-live="live">
        ● Live
      </Text>
    );
  if (live.kind === "waiting")
    return (
      <Text size="sm" mb="md" role="status">
        Asking the service …
      </Text>
    );
  const [title, what] =
    live.kind === "trouble"
      ? ["The service lacks something", `${live.trouble?.code ?? ""}: ${live.trouble?.message ?? ""}`]
      : ["Connection lost", "it is tried again by itself"];
  return (
    <Alert color="orange" title={title} mb="md" role="alert" data-live={live.kind}>
      {asOf}; {what}. What you see below is not newer than that.
    </Alert>
  );
}

function Scheme(): ReactNode {
  const { setColorScheme } = useMantineColorScheme();
  const other = useComputedColorScheme("light") === "dark" ? "light" : "dark";
  return (
    <Button variant="default" size="xs" onClick={() => setColorScheme(other)}>
      {other === "dark" ? "Dark" : "Light"}
    </Button>
  );
}
