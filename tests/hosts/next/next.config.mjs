/** What is built stands where the other hosts' builds do; the folder above is another project. */
export default { distDir: "dist", turbopack: { root: import.meta.dirname } };
