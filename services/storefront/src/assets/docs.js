// Lays out the OpenAPI document that the page names.
"use strict";

const place = document.getElementById("swagger");

/** Swagger UI's parts, without those that the page has itself: the title, a main part, the choice of a server. */
const layout = ({ React }) => ({
  components: {
    Parts({ getComponent, specSelectors }) {
      const part = (name, container) => React.createElement(getComponent(name, container));
      if (specSelectors.loadingStatus() === "failed")
        return React.createElement("p", { role: "alert" }, "The document can’t be had just now.");
      if (specSelectors.specStr() === "") return null;
      return React.createElement(
        "div",
        { className: "swagger-ui" },
        part("SvgAssets"),
        React.createElement(
          "div",
          { className: "wrapper" },
          specSelectors.securityDefinitions() ? part("AuthorizeBtnContainer", true) : null,
          part("operations", true),
        ),
      );
    },
  },
});

SwaggerUIBundle({
  domNode: place,
  url: place.dataset.document,
  plugins: [layout],
  layout: "Parts",
  // No other site is asked whether the document is valid.
  validatorUrl: null,
  // Its links to single operations stand inside of buttons, where who uses a keyboard can't tell them apart.
  deepLinking: false,
});
