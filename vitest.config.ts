import { defineConfig } from "vitest/config"

export default defineConfig({
  resolve: { conditions: ["effect-web-source", "node", "import", "default"] },
  ssr: { resolve: { conditions: ["effect-web-source", "node", "import", "default"] } },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 20_000
  }
})
