import { Alert, Code, Container, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

/** What somebody sees who is not signed in: what to do, and why they are not. */
export function SignIn({ why }: { readonly why: string | undefined }): ReactNode {
  return (
    <Container size="sm" py="xl" component="main">
      <Title order={1}>Firebreak</Title>
      {why === undefined ? null : (
        <Alert color="orange" title="Not signed in" my="md" role="alert">
          {why}
        </Alert>
      )}
      <Text my="md">You come in by a link that counts once. Whoever has the API token makes one:</Text>
      <Code block>{"firebreak sign-in\nfirebreak sign-in --view   # may only read, for a screen on a wall"}</Code>
    </Container>
  );
}
