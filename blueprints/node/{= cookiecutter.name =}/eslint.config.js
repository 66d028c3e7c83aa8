import tseslint from "typescript-eslint";

export default tseslint.config(tseslint.configs.strictTypeChecked, {
  languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
  linterOptions: { reportUnusedDisableDirectives: "error" },
  rules: {
    eqeqeq: "error",
    // what node:test returns, its runner awaits
    "@typescript-eslint/no-floating-promises": [
      "error",
      { allowForKnownSafeCalls: [{ from: "package", package: "node:test", name: ["test"] }] },
    ],
    "@typescript-eslint/no-unused-vars": "off", // the compiler tells
    "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
  },
});
