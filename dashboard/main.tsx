// Where the page begins: the one-time code leaves the address first, then whoever is signed in sees the dashboard.
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { makeQueryClient } from "./api/query-client.ts";
import { shareSession } from "./api/share-session.ts";
import { exchangeCode, takeCode } from "./api/sign-in-link.ts";
import { App } from "./app.tsx";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/controls.css";
import "./styles/data.css";

async function begin(): Promise<void> {
  const code = takeCode();
  if (code !== undefined) await exchangeCode(code);
  await shareSession();
  const root = document.getElementById("root");
  if (root === null) throw new Error("index.html has no #root.");
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={makeQueryClient()}>
        <App />
      </QueryClientProvider>
    </StrictMode>,
  );
}

await begin();
