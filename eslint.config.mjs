import { builtinModules } from "node:module";
import js from "@eslint/js";
import tseslint from "typescript-eslint";

/**
 * Who imports whom: each folder of lib/ what comes before it, and the method, lib/*.ts, nothing but the backend. Notebooks,
 * tests and scripts import lib/, never the other way round.
 */
const ORDER = [
  "backend",
  "data",
  "gaussian",
  "presets",
  "evaluation",
  "posterior",
  "storage",
  "figures",
  "notebook",
  "gallery",
];
const outside = ["**/scripts/**", "**/notebooks/**", "**/tests/**"];
const direction = (files, folders, more = {}, others = []) => ({
  files,
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          {
            group: [...folders.flatMap((name) => [`**/${name}/*`, `**/${name}`]), ...outside, ...others],
            message: "See docs/architecture.md.",
          },
        ],
        ...more,
      },
    ],
  },
});
const directions = [
  direction(["lib/*.ts"], ORDER.slice(1), {
    paths: builtinModules.flatMap((name) => [name, `node:${name}`]),
  }),
  ...ORDER.map((name, place) => direction([`lib/${name}/**/*.ts`], ORDER.slice(place + 1))),
  // A system of the gallery: the method, the gallery's shared files (../*) and figures, never a sibling.
  direction(["lib/gallery/*/*.ts"], ["data", "gaussian", "presets", "posterior", "storage", "notebook"], {}, [
    "../[a-z]*/*",
  ]),
];

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
    files: ["scripts/**/*.js", "tests/**/*.js"],
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
    files: ["tests/**/*.ts", "tests/**/*.js", "scripts/**/*.js", "scripts/**/*.ts"],
    // The benchmark ends its peers itself when they do not answer.
    ignores: ["scripts/bench/**"],
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
  ...directions,
);
