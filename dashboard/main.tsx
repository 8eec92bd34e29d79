// Where the page begins: codes leave the address first, then whoever is signed in sees the dashboard.
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { keepSession } from "./api/keep-session.ts";
import { makeQueryClient } from "./api/query-client.ts";
import { shareSession } from "./api/share-session.ts";
import { comeBack, takeAnswer } from "./api/sign-in-answer.ts";
import { exchangeCode, takeCode } from "./api/sign-in-link.ts";
import { App } from "./app.tsx";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/controls.css";
import "./styles/data.css";

async function begin(): Promise<void> {
  const code = takeCode();
  const answer = takeAnswer();
  if (code !== undefined) await exchangeCode(code);
  if (answer !== undefined) await comeBack(answer);
  await shareSession();
  keepSession();
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
