import { defineConfig } from "vitest/config"

export default defineConfig({
  resolve: { conditions: ["effect-web-source", "node", "import", "default"] },
  ssr: { resolve: { conditions: ["effect-web-source", "node", "import", "default"] } },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 20_000,
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      exclude: ["src/index.ts", "src/testing/index.ts"],
      reporter: ["text", "json-summary", "html"],
      thresholds: { lines: 95, branches: 90 }
    }
  }
})
