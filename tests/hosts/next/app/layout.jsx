import Link from "next/link";
import Script from "next/script";

import { Customer } from "./customer.jsx";

export const metadata = { title: "Kettle & Leaf", icons: "data:," };

const server = process.env.SWITCHBOARD_SERVER;
const site = process.env.SWITCHBOARD_SITE;

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        <nav>
          <Link href="/">Shop</Link> <Link href="/orders">Orders</Link>
        </nav>
        {children}
        <Customer name="Ana, with Next" />
        <Script src={`${server}/widget.js`} data-site-key={site} strategy="afterInteractive" />
      </body>
    </html>
  );
}
