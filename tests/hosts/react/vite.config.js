import react from "@vitejs/plugin-react";

export default { base: "/react/", logLevel: "warn", plugins: [react()] };
