import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["node_modules/", ".venv/", "build/", "data/"] },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [...tseslint.configs.recommended],
    rules: {
      "@typescript-eslint/no-require-imports": "off",
    },
  },
  {
    files: ["scripts/**/*.js"],
    languageOptions: {
      sourceType: "commonjs",
      globals: {
        require: "readonly",
        module: "writable",
        process: "readonly",
        console: "readonly",
        __dirname: "readonly",
        __filename: "readonly",
        AbortController: "readonly",
        setTimeout: "readonly",
        setImmediate: "readonly",
      },
    },
  },
  {
    // Random numbers come from the seeded generator of lib/random.ts, so that every result can be repeated.
    files: ["lib/**/*.ts", "notebooks/support/**/*.ts", "scripts/**/*.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random", message: "Use lib/random.ts." },
      ],
    },
  },
  {
    // Whatever waits for another program has an end (scripts/processes.js).
    files: ["tests/**/*.ts", "scripts/**/*.js", "scripts/**/*.ts"],
    ignores: ["tests/site.test.ts", "tests/prose.ts", "scripts/bench/**"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector:
            "CallExpression[callee.name=/^(spawn|spawnSync|execFile|execFileSync)$/]:not(:has(CallExpression[callee.name='deadline']))",
          message: "Give it ...deadline(seconds), so that nothing waits for it for ever.",
        },
      ],
    },
  },
);
