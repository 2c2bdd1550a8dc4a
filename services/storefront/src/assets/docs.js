// Renders the OpenAPI document that the page names.
"use strict";

const container = document.getElementById("swagger");

/** A Swagger UI layout without the parts that the page has itself: the title, a main element and a choice of servers. */
const layout = ({ React }) => ({
  components: {
    Parts({ getComponent, specSelectors }) {
      const part = (name, container) => React.createElement(getComponent(name, container));
      if (specSelectors.loadingStatus() === "failed")
        return React.createElement(
          "p",
          { role: "alert" },
          "The API document can’t be loaded right now.",
        );
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
  domNode: container,
  url: container.dataset.document,
  plugins: [layout],
  layout: "Parts",
  // Don't send the document to Swagger's online validator.
  validatorUrl: null,
  // Deep links are placed inside buttons, where a keyboard user can't reach them separately.
  deepLinking: false,
});
