// How the dashboard is built: static files without inline code, so that its Content-Security-Policy can be strict.
import react from "@vitejs/plugin-react";
import { defineConfig, type UserConfig } from "vite";
import { apiRoutes } from "./routes-plugin.ts";

const config: UserConfig = defineConfig({
  root: import.meta.dirname,
  plugins: [react(), apiRoutes()],
  build: {
    outDir: "../dist/dashboard",
    emptyOutDir: true,
    target: "es2023",
    // A data: URL would be one more thing for the policy to allow.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // `npx vite dashboard` beside a running `npm start`.
  server: { proxy: { "/api": "http://127.0.0.1:4680", "/sign-in": "http://127.0.0.1:4680" } },
});

export default config;
