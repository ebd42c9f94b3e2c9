import { defineConfig } from "vite";

/**
 * One script and one style sheet, both named by what is in them. Nothing is inlined: the content security
 * policy of the console allows no inline code, styles or fonts.
 */
export default defineConfig({
  publicDir: false,
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { output: { codeSplitting: false } },
  },
});
