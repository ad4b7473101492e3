import "@mantine/core/styles.css";
import "./page.css";
import { MantineProvider } from "@mantine/core";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { begin } from "./session.ts";

/** Styles that components make while they run carry the number of this page: the policy lets no others in. */
const nonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? "";

const root = document.querySelector("#root");
if (root !== null) {
  const started = await begin();
  createRoot(root).render(
    <MantineProvider defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <App started={started} />
    </MantineProvider>,
  );
}
